/** What is selected on the open tab. The cells carry the marks, so that only those that change are drawn anew. */
import { wireKey, type Wire } from '../core/model/item'
import type { GroupCell, NodeCell, TabGraph, WireCell } from './graph.svelte'

/** How a selection joins the one before. */
export type SelectMode = 'set' | 'add' | 'toggle'

/** What to select. */
export interface SelectTarget {
  /** Ids of nodes and groups. */
  nodes?: Iterable<string>
  wires?: Iterable<Wire>
}

/** The selected nodes, groups and wires. */
export class Selection {
  #nodes = $state.raw<readonly string[]>([])
  #wires = $state.raw<readonly Wire[]>([])
  readonly #graph: TabGraph

  constructor(graph: TabGraph) {
    this.#graph = graph
  }

  /** The ids of the selected nodes and groups. */
  get nodes(): readonly string[] {
    return this.#nodes
  }

  /** The selected wires. */
  get wires(): readonly Wire[] {
    return this.#wires
  }

  /** Whether nothing is selected. */
  get empty(): boolean {
    return this.#nodes.length === 0 && this.#wires.length === 0
  }

  /** Selects; ids that the open tab doesn't have are left out. */
  select(target: SelectTarget, mode: SelectMode = 'set'): void {
    const nodes = new Set(mode === 'set' ? [] : this.#nodes)
    const wires = new Map(mode === 'set' ? [] : this.#wires.map((wire) => [wireKey(wire), wire]))
    for (const id of target.nodes ?? []) {
      if (mode === 'toggle' && nodes.has(id)) nodes.delete(id)
      else if (this.#cell(id)) nodes.add(id)
    }
    for (const wire of target.wires ?? []) {
      const key = wireKey(wire)
      if (mode === 'toggle' && wires.has(key)) wires.delete(key)
      else if (this.#graph.wires.has(key)) wires.set(key, wire)
    }
    this.#set([...nodes], [...wires.values()])
  }

  /** Selects nothing. */
  clear(): void {
    if (!this.empty) this.#set([], [])
  }

  /** Drops what is gone, and marks cells that came back. */
  refresh(): void {
    this.#set(
      this.#nodes.filter((id) => this.#cell(id)),
      this.#wires.filter((wire) => this.#graph.wires.has(wireKey(wire))),
    )
  }

  #cell(id: string): NodeCell | GroupCell | undefined {
    return this.#graph.nodes.get(id) ?? this.#graph.groups.find((group) => group.id === id)
  }

  #set(nodes: string[], wires: Wire[]): void {
    const cells = (ids: readonly string[], list: readonly Wire[]): (NodeCell | GroupCell | WireCell)[] => [
      ...ids.flatMap((id) => this.#cell(id) ?? []),
      ...list.flatMap((wire) => this.#graph.wires.get(wireKey(wire)) ?? []),
    ]
    for (const cell of cells(this.#nodes, this.#wires)) cell.selected = false
    for (const cell of cells(nodes, wires)) cell.selected = true
    this.#nodes = nodes
    this.#wires = wires
  }
}
