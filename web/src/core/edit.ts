/** The editor's larger changes of the records, each as a function on a draft. */
import type { FlowItem, Json, NodeType } from '../api/types'
import { freshItem, inputsOf, outputsOf } from './catalog'
import type { Draft } from './draft'
import { addWire, referencesIn, removeItems, splice } from './graph'
import { idsOf, isConfig, isGroup, isTab, tabOf, type Point, type Wire } from './model/item'
import type { Records } from './store'

/** Where and how a new node comes in. */
export interface NewNode {
  id: string
  type: NodeType
  tab: string
  at: Point
  /** An output (or, with `port` null, the input of a node) that the new node is wired to at once. */
  from?: { id: string; port: number | null } | undefined
  /** A wire that the new node is put into. */
  into?: Wire | undefined
  /** Properties over the fresh ones. */
  set?: Record<string, Json> | undefined
}

/** Adds a node with the properties of a fresh one. Config nodes that it needs are chosen where there is one already. */
export function addNode(draft: Draft, { id, type, tab, at, from, into, set }: NewNode): FlowItem {
  const { type: typeName, id: _id, ...properties } = freshItem(type, id)
  const item: FlowItem = { id, type: typeName, z: tab, ...properties, ...set, x: at.x, y: at.y, wires: [] }
  for (const property of type.properties) {
    if (property.kind !== 'config' || item[property.name]) continue
    const candidate = draft.list().find((other) => other.type === property.type && other['d'] !== true)
    if (candidate && property.required) item[property.name] = candidate.id
  }
  item['wires'] = Array.from({ length: outputsOf(item, type) }, () => [])
  draft.add(item)
  const hasInput = inputsOf(item, type) > 0
  const hasOutput = outputsOf(item, type) > 0
  if (into && hasInput && hasOutput) splice(draft, into, id)
  if (from?.port === null && hasOutput) addWire(draft, { from: id, port: 0, to: from.id })
  else if (from && from.port !== null && hasInput) addWire(draft, { from: from.id, port: from.port, to: id })
  return item
}

/** A new tab, behind the last one so that tabs stay together in the file. */
export function addTab(draft: Draft, id: string, label: string): void {
  const items = draft.list()
  const last = items.findLastIndex(isTab)
  draft.add({ id, type: 'tab', label, disabled: false, info: '', env: [] }, items[last + 1]?.id)
}

/** Removes a tab with everything on it. */
export function removeTab(draft: Draft, id: string): void {
  const ids = draft
    .list()
    .filter((item) => item.id === id || tabOf(item) === id)
    .map((item) => item.id)
  removeItems(draft, new Set(ids))
}

/** Moves a tab to a place among the tabs. */
export function moveTab(draft: Draft, id: string, index: number): void {
  const tabs = draft.list().filter((item) => isTab(item) && item.id !== id)
  const next = tabs[index]
  if (next) draft.move(id, next.id)
  else {
    const items = draft.list().filter((item) => item.id !== id)
    draft.move(id, items[items.findLastIndex(isTab) + 1]?.id)
  }
}

/** Moves nodes and groups by a distance. Groups' members are not moved by this: name them too. */
export function moveBy(draft: Draft, ids: Iterable<string>, dx: number, dy: number): void {
  for (const id of ids) {
    draft.update(id, (item) => ({ ...item, x: Number(item['x']) + dx, y: Number(item['y']) + dy }))
  }
}

/** Takes groups apart: their members stay where they are, in the group around (if there is one). */
export function ungroup(draft: Draft, ids: Iterable<string>): void {
  for (const id of ids) {
    const group = draft.get(id)
    if (!group || !isGroup(group)) continue
    const outer = typeof group['g'] === 'string' ? group['g'] : undefined
    const members = idsOf(group, 'nodes')
    for (const member of members) draft.update(member, { g: outer })
    if (outer) {
      draft.update(outer, (item) => ({
        ...item,
        nodes: idsOf(item, 'nodes').flatMap((inner) => (inner === id ? members : [inner])),
      }))
    }
    draft.remove(id)
  }
}

/** The nodes that refer to a config node. */
export function usersOf(records: Records, id: string): FlowItem[] {
  return records.list().filter((item) => {
    if (item.id === id || isTab(item) || isGroup(item)) return false
    const { z: _z, g: _g, ...rest } = item
    return referencesIn(rest, (other) => other === id).size > 0
  })
}

/** The config nodes of a type. */
export function configNodes(records: Records, type?: string): FlowItem[] {
  return records.list().filter((item) => isConfig(item) && (type === undefined || item.type === type))
}
