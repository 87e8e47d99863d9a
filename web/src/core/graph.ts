/** Questions about wires, and the changes that keep them whole. Everything works on records or on a draft of them. */
import type { FlowItem } from '../api/types'
import type { Draft } from './draft'
import { idsOf, isNode, wireList, wiresOf, withoutWire, withWire, type Wire } from './model/item'
import type { Records } from './store'

/** For each node the wires that lead to it. */
export function incomingWires(items: readonly FlowItem[]): Map<string, Wire[]> {
  const incoming = new Map<string, Wire[]>()
  for (const item of items) {
    for (const wire of wireList(item)) {
      const list = incoming.get(wire.to)
      if (list) list.push(wire)
      else incoming.set(wire.to, [wire])
    }
  }
  return incoming
}

/** Connects; a wire that is there already stays one wire. */
export function addWire(draft: Draft, { from, port, to }: Wire): void {
  draft.update(from, (item) => ({ ...item, wires: withWire(wiresOf(item), port, to) }))
}

/** Takes a wire out. */
export function removeWire(draft: Draft, { from, port, to }: Wire): void {
  draft.update(from, (item) => ({ ...item, wires: withoutWire(wiresOf(item), port, to) }))
}

/** Puts a node with an input and an output into a wire. */
export function splice(draft: Draft, wire: Wire, node: string): void {
  removeWire(draft, wire)
  addWire(draft, { from: wire.from, port: wire.port, to: node })
  addWire(draft, { from: node, port: 0, to: wire.to })
}

/** Removes records with everything that refers to them by wire, link or group. */
export function removeItems(draft: Draft, ids: ReadonlySet<string>): void {
  for (const item of draft.list()) {
    if (ids.has(item.id)) continue
    const wires = wiresOf(item)
    if (wires.some((targets) => targets.some((id) => ids.has(id)))) {
      draft.update(item.id, { wires: wires.map((targets) => targets.filter((id) => !ids.has(id))) })
    }
    for (const property of ['links', 'nodes', 'scope']) {
      const list = idsOf(item, property)
      if (list.some((id) => ids.has(id))) draft.update(item.id, { [property]: list.filter((id) => !ids.has(id)) })
    }
    if (typeof item['g'] === 'string' && ids.has(item['g'])) draft.update(item.id, { g: undefined })
  }
  for (const id of ids) draft.remove(id)
}

/** Removes nodes and joins what led to them with what they led to, so that a chain stays a chain. */
export function removeAndReconnect(draft: Draft, ids: ReadonlySet<string>): void {
  const incoming = incomingWires(draft.list())
  for (const id of ids) {
    for (const wire of incoming.get(id) ?? []) {
      if (ids.has(wire.from)) continue
      for (const target of targetsBeyond(draft, id, ids))
        addWire(draft, { from: wire.from, port: wire.port, to: target })
    }
  }
  removeItems(draft, ids)
}

/** Where the wires of a node lead when the nodes in `through` are passed by. */
function targetsBeyond(records: Records, start: string, through: ReadonlySet<string>): string[] {
  const targets: string[] = []
  const seen = new Set<string>()
  const walk = (id: string): void => {
    if (seen.has(id)) return
    seen.add(id)
    const item = records.get(id)
    for (const target of item ? wiresOf(item).flat() : []) {
      if (through.has(target)) walk(target)
      else targets.push(target)
    }
  }
  walk(start)
  return targets
}

/** Which way to follow the wires. */
export type Direction = 'upstream' | 'downstream' | 'connected'

/** All nodes that wires lead to from these, or from which wires lead here; the given ones are among them. */
export function reachable(items: readonly FlowItem[], from: Iterable<string>, direction: Direction): Set<string> {
  const forward = new Map<string, string[]>()
  const backward = new Map<string, string[]>()
  const put = (map: Map<string, string[]>, key: string, value: string): void => {
    const list = map.get(key)
    if (list) list.push(value)
    else map.set(key, [value])
  }
  for (const item of items) {
    for (const target of new Set(wiresOf(item).flat())) {
      put(forward, item.id, target)
      put(backward, target, item.id)
    }
  }
  const reached = new Set(from)
  for (const id of reached) {
    const next = [
      ...(direction === 'upstream' ? [] : (forward.get(id) ?? [])),
      ...(direction === 'downstream' ? [] : (backward.get(id) ?? [])),
    ]
    // A Set that grows while it is walked hands out the new members too.
    for (const other of next) reached.add(other)
  }
  return reached
}

/** The ids that records refer to, anywhere in their properties, out of the given ones. */
export function referencesIn(item: FlowItem, known: (id: string) => boolean): Set<string> {
  const found = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      if (known(value)) found.add(value)
    } else if (Array.isArray(value)) value.forEach(look)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look)
  }
  for (const [key, value] of Object.entries(item)) if (key !== 'id' && key !== 'wires') look(value)
  return found
}

/** A group with everything in it, groups within groups too. */
export function groupMembers(records: Records, group: string, seen = new Set<string>()): Set<string> {
  if (seen.has(group)) return seen
  seen.add(group)
  const item = records.get(group)
  for (const id of item?.type === 'group' ? idsOf(item, 'nodes') : []) {
    const member = records.get(id)
    if (member?.type === 'group') groupMembers(records, id, seen)
    else if (member && isNode(member)) seen.add(id)
  }
  return seen
}
