/**
 * What the entries of a flow file are, and the parts of them that the editor reads.
 *
 * A record is a plain {@link FlowItem} that nobody changes in place: an edit makes a new one. Whatever properties a
 * record came with, known or not, stay with it.
 */
import type { FlowItem, Json } from '../../api/types'

/** What a record of a flow file stands for. */
export type ItemKind = 'tab' | 'group' | 'subflow' | 'node' | 'config'

/** A point in the coordinates of a tab. */
export interface Point {
  x: number
  y: number
}

/** A wire: output number `port` (from 0) of node `from` leads to node `to`. */
export interface Wire {
  from: string
  port: number
  to: string
}

/** The kind of a record, told by its type and by whether it has a place on a canvas. */
export function kindOf(item: FlowItem): ItemKind {
  if (item.type === 'tab' || item.type === 'group' || item.type === 'subflow') return item.type
  return typeof item['x'] === 'number' && typeof item['y'] === 'number' ? 'node' : 'config'
}

/** A tab, which the file calls a flow: a canvas of its own. */
export const isTab = (item: FlowItem): boolean => item.type === 'tab'

/** A frame around nodes. */
export const isGroup = (item: FlowItem): boolean => item.type === 'group'

/** The template of a subflow. */
export const isSubflow = (item: FlowItem): boolean => item.type === 'subflow'

/** A use of a subflow: its type is `subflow:` and the id of the template. */
export const isSubflowInstance = (item: FlowItem): boolean => item.type.startsWith('subflow:')

/** A dot that joins wires. */
export const isJunction = (item: FlowItem): boolean => item.type === 'junction'

/** A node with a place on a canvas. */
export const isNode = (item: FlowItem): boolean => kindOf(item) === 'node'

/** A node without a place, which others refer to by its id: a broker, a TLS set-up… */
export const isConfig = (item: FlowItem): boolean => kindOf(item) === 'config'

/** Whether a record is switched off (nodes and groups with `d`, tabs with `disabled`). */
export const isDisabled = (item: FlowItem): boolean => item[isTab(item) ? 'disabled' : 'd'] === true

/** A property as text; anything else than text counts as empty. */
export function textOf(item: FlowItem, property: string): string {
  const value = item[property]
  return typeof value === 'string' ? value : ''
}

/** A property as a number; anything else than a number counts as `otherwise`. */
export function numberOf(item: FlowItem, property: string, otherwise = 0): number {
  const value = item[property]
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise
}

/** The texts of a list of texts, say the `nodes` of a group or the `links` of a link node. */
export function idsOf(item: FlowItem, property: string): string[] {
  const value = item[property]
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : []
}

/** The tab or subflow a record stands on; empty for tabs themselves and for what is global. */
export const tabOf = (item: FlowItem): string => textOf(item, 'z')

/** The centre of a node. */
export const placeOf = (item: FlowItem): Point => ({ x: numberOf(item, 'x'), y: numberOf(item, 'y') })

/** The targets of each output; a file with a damaged list counts as without wires. */
export function wiresOf(item: FlowItem): string[][] {
  const wires = item['wires']
  if (!Array.isArray(wires)) return []
  return wires.map((targets) =>
    Array.isArray(targets) ? targets.filter((id): id is string => typeof id === 'string') : [],
  )
}

/** The wires that start at a node, one by one. */
export function wireList(item: FlowItem): Wire[] {
  return wiresOf(item).flatMap((targets, port) => targets.map((to) => ({ from: item.id, port, to })))
}

/** A name for a wire that is unique in its tab. */
export const wireKey = (wire: Wire): string => `${wire.from}:${wire.port}:${wire.to}`

/** A copy of `wires` in which output `port` leads to `to` as well; missing outputs are filled up. */
export function withWire(wires: readonly string[][], port: number, to: string): string[][] {
  const length = Math.max(wires.length, port + 1)
  return Array.from({ length }, (_, index) => {
    const targets = wires[index] ?? []
    return index === port && !targets.includes(to) ? [...targets, to] : [...targets]
  })
}

/** A copy of `wires` without that wire. */
export function withoutWire(wires: readonly string[][], port: number, to: string): string[][] {
  return wires.map((targets, index) => (index === port ? targets.filter((id) => id !== to) : [...targets]))
}

/** A copy of a record with some properties changed; `undefined` takes a property away. Their order stays. */
export function patched(item: FlowItem, patch: Record<string, Json | undefined>): FlowItem {
  const next: FlowItem = { ...item, ...patch, id: item.id }
  for (const key of Object.keys(patch)) if (patch[key] === undefined) Reflect.deleteProperty(next, key)
  return next
}

/** A new id: 16 hexadecimal digits, as Node-RED makes them. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Whether two JSON values are the same; the order of properties doesn't count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]))
  }
  const before = new Map(Object.entries(a))
  const after = Object.entries(b)
  return (
    before.size === after.length && after.every(([key, value]) => before.has(key) && sameJson(before.get(key), value))
  )
}
