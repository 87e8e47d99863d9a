/**
 * The open tab as the canvas draws it: one cell per node, wire and group.
 *
 * A cell has the few values that change while somebody works (place, selection, marks) as state of its own, so that a
 * drag or a status touches that one node and no list.
 */
import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import type { FlowItem, NodeType } from '../api/types'
import { inputsOf, isLabelled, isMissing, labelOf, outputsOf } from '../core/catalog'
import { SpatialGrid } from '../core/geometry/grid'
import { inputPoint, nodeSize, outputPoint, type Box } from '../core/geometry/node'
import { boundsOf, rectOf, type Rect } from '../core/geometry/rect'
import { wireBounds } from '../core/geometry/wire'
import {
  isDisabled,
  isGroup,
  isNode,
  numberOf,
  placeOf,
  tabOf,
  textOf,
  wireKey,
  wireList,
  type Point,
  type Wire,
} from '../core/model/item'
import type { Diff } from '../core/store'
import type { ItemProblem } from '../core/validate'
import { labelWidth } from './measure'

let lastOrder = 0
const nextOrder = (): number => (lastOrder += 1)

/** A node of the open tab. */
export class NodeCell {
  readonly id: string
  item = $state.raw<FlowItem>({ id: '', type: '' })
  type = $state.raw<NodeType>({ type: '', category: 'missing', properties: [], texts: { label: '' } })
  x = $state(0)
  y = $state(0)
  selected = $state(false)
  changed = $state(false)
  problems = $state.raw<ItemProblem[]>([])
  /** The wires that start or end here. */
  readonly wires = new Set<WireCell>()
  /** Its place among those drawn: later ones lie above. */
  readonly order = nextOrder()

  readonly inputs = $derived.by(() => inputsOf(this.item, this.type))
  readonly outputs = $derived.by(() => outputsOf(this.item, this.type))
  readonly label = $derived.by(() => labelOf(this.item, this.type))
  readonly labelled = $derived.by(() => isLabelled(this.item))
  readonly disabled = $derived.by(() => isDisabled(this.item))
  readonly missing = $derived.by(() => isMissing(this.type))
  readonly junction = $derived.by(() => this.item.type === 'junction')
  readonly size = $derived.by(() =>
    nodeSize({
      labelWidth: this.labelled ? labelWidth(this.label) : 0,
      outputs: this.outputs,
      labelled: this.labelled,
      junction: this.junction,
    }),
  )

  constructor(item: FlowItem, type: NodeType) {
    this.id = item.id
    this.take(item, type)
  }

  /** Takes over a new version of the record. */
  take(item: FlowItem, type: NodeType): void {
    this.item = item
    this.type = type
    this.x = numberOf(item, 'x')
    this.y = numberOf(item, 'y')
  }

  /** Its place and size. */
  get box(): Box {
    return { x: this.x, y: this.y, w: this.size.w, h: this.size.h }
  }

  /** Where wires come in. */
  get input(): Point {
    return inputPoint(this.box, this.junction)
  }

  /** Where wires of an output go out. */
  output(port: number): Point {
    return outputPoint(this.box, port, Math.max(this.outputs, port + 1), this.junction)
  }
}

/** A wire of the open tab. */
export class WireCell {
  readonly key: string
  readonly wire: Wire
  readonly from: NodeCell
  readonly to: NodeCell
  selected = $state(false)

  constructor(wire: Wire, from: NodeCell, to: NodeCell) {
    this.key = wireKey(wire)
    this.wire = wire
    this.from = from
    this.to = to
  }

  /** Where it begins. */
  get start(): Point {
    return this.from.output(this.wire.port)
  }

  /** Where it ends. */
  get end(): Point {
    return this.to.input
  }
}

/** A group of the open tab; its place is the corner at the top left. */
export class GroupCell {
  readonly id: string
  item = $state.raw<FlowItem>({ id: '', type: 'group' })
  x = $state(0)
  y = $state(0)
  w = $state(0)
  h = $state(0)
  selected = $state(false)

  constructor(item: FlowItem) {
    this.id = item.id
    this.take(item)
  }

  /** Takes over a new version of the record. */
  take(item: FlowItem): void {
    this.item = item
    const { x, y } = placeOf(item)
    this.x = x
    this.y = y
    this.w = numberOf(item, 'w', 100)
    this.h = numberOf(item, 'h', 60)
  }

  /** Its frame. */
  get rect(): Rect {
    return { left: this.x, top: this.y, right: this.x + this.w, bottom: this.y + this.h }
  }

  /** Its name. */
  get label(): string {
    return textOf(this.item, 'name')
  }
}

/** What the graph asks the editor about a node. */
export interface GraphSource {
  list(): FlowItem[]
  typeOf(item: FlowItem): NodeType
  marksOf(id: string): { changed: boolean; problems: ItemProblem[] }
}

/** The cells of the open tab, kept in step with the records. */
export class TabGraph {
  readonly nodes = new SvelteMap<string, NodeCell>()
  readonly wires = new Map<string, WireCell>()
  groups = $state.raw<GroupCell[]>([])
  /** Cells that move under the pointer at the moment; they are drawn wherever they are. */
  readonly moving = new SvelteSet<NodeCell>()
  /** Counts up when cells come, go or have moved for good. */
  version = $state(0)
  tab = ''
  readonly #source: GraphSource
  readonly #nodeGrid = new SpatialGrid<NodeCell>()
  readonly #wireGrid = new SpatialGrid<WireCell>()

  constructor(source: GraphSource) {
    this.#source = source
  }

  /** Shows another tab, or the same one anew. */
  show(tab: string): void {
    this.tab = tab
    this.nodes.clear()
    this.wires.clear()
    this.moving.clear()
    this.#nodeGrid.clear()
    this.#wireGrid.clear()
    const groups: GroupCell[] = []
    for (const item of this.#source.list()) {
      if (tabOf(item) !== tab) continue
      if (isGroup(item)) groups.push(new GroupCell(item))
      else if (isNode(item)) this.#addNode(item)
    }
    this.groups = groups
    for (const cell of this.nodes.values()) this.#syncWires(cell)
    this.version += 1
  }

  /** Follows a change of the records. */
  update(diff: Diff): void {
    const gone = new Set(diff.removed.map(({ item }) => item.id))
    for (const { item } of diff.added) gone.delete(item.id)
    const now = [...diff.added.map(({ item }) => item), ...diff.updated.map(([, after]) => after)]
    const leaving = now.filter((item) => tabOf(item) !== this.tab || !isNode(item)).map((item) => item.id)
    let touched = false
    for (const id of [...gone, ...leaving]) touched = this.#removeNode(id) || touched
    const dirty = new Set<NodeCell>()
    let added = false
    for (const item of now) {
      if (tabOf(item) !== this.tab || !isNode(item)) continue
      const cell = this.nodes.get(item.id)
      if (cell) cell.take(item, this.#source.typeOf(item))
      else added = true
      dirty.add(cell ?? this.#addNode(item))
    }
    if (this.#updateGroups(now, gone)) touched = true
    // A node that is new (or back after undo) may be the end of wires that had none so far.
    for (const cell of added ? this.nodes.values() : dirty) this.#syncWires(cell)
    for (const cell of dirty) this.#settle(cell)
    if (touched || dirty.size > 0) this.version += 1
  }

  /** Sets changed and invalid marks anew. */
  refreshMarks(ids: Iterable<string>): void {
    for (const id of ids) {
      const cell = this.nodes.get(id)
      if (cell) Object.assign(cell, this.#source.marksOf(id))
    }
  }

  /** The nodes that lie in an area; with those that move at the moment. */
  nodesIn(area: Rect): NodeCell[] {
    const found = this.#nodeGrid.query(area)
    for (const cell of this.moving) found.add(cell)
    return [...found].sort((a, b) => a.order - b.order)
  }

  /** The wires that cross an area; with those of nodes that move at the moment. */
  wiresIn(area: Rect): WireCell[] {
    const found = this.#wireGrid.query(area)
    for (const cell of this.moving) for (const wire of cell.wires) found.add(wire)
    return [...found]
  }

  /** The rectangle around everything; null when there is nothing. */
  bounds(): Rect | null {
    return boundsOf([...this.#nodeGrid.rects(), ...this.groups.map((group) => group.rect)])
  }

  #addNode(item: FlowItem): NodeCell {
    const cell = new NodeCell(item, this.#source.typeOf(item))
    Object.assign(cell, this.#source.marksOf(item.id))
    this.nodes.set(item.id, cell)
    this.#nodeGrid.set(cell, rectOf(cell.box))
    return cell
  }

  #removeNode(id: string): boolean {
    const cell = this.nodes.get(id)
    if (!cell) return false
    for (const wire of cell.wires) this.#removeWire(wire)
    this.nodes.delete(id)
    this.moving.delete(cell)
    this.#nodeGrid.delete(cell)
    return true
  }

  #updateGroups(now: FlowItem[], gone: ReadonlySet<string>): boolean {
    const changed = new Map(now.filter(isGroup).map((item) => [item.id, item]))
    if (changed.size === 0 && !this.groups.some((group) => gone.has(group.id))) return false
    const groups = this.groups.filter((group) => {
      const item = changed.get(group.id)
      if (item && tabOf(item) === this.tab) group.take(item)
      changed.delete(group.id)
      return !gone.has(group.id) && (!item || tabOf(item) === this.tab)
    })
    for (const item of changed.values()) if (tabOf(item) === this.tab) groups.push(new GroupCell(item))
    this.groups = groups
    return true
  }

  #syncWires(cell: NodeCell): void {
    const wanted = new Map(wireList(cell.item).map((wire) => [wireKey(wire), wire]))
    for (const wire of cell.wires) if (wire.from === cell && !wanted.has(wire.key)) this.#removeWire(wire)
    for (const [key, wire] of wanted) {
      const to = this.nodes.get(wire.to)
      if (!to || this.wires.has(key)) continue
      const wireCell = new WireCell(wire, cell, to)
      this.wires.set(key, wireCell)
      cell.wires.add(wireCell)
      to.wires.add(wireCell)
      this.#wireGrid.set(wireCell, wireBounds(wireCell.start, wireCell.end))
    }
  }

  #removeWire(wire: WireCell): void {
    this.wires.delete(wire.key)
    wire.from.wires.delete(wire)
    wire.to.wires.delete(wire)
    this.#wireGrid.delete(wire)
  }

  #settle(cell: NodeCell): void {
    this.#nodeGrid.set(cell, rectOf(cell.box))
    for (const wire of cell.wires) this.#wireGrid.set(wire, wireBounds(wire.start, wire.end))
  }
}
