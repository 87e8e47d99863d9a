/** Records that leave the flows (copy, export) and records that come in (paste, import). */
import type { FlowItem } from '../api/types'
import { withNewIds, type ConflictChoice } from './codec/nodered'
import { sameItem } from './diff'
import type { Draft } from './draft'
import { boundsOf, type Rect } from './geometry/rect'
import { GRID } from './geometry/node'
import { groupMembers, referencesIn } from './graph'
import {
  idsOf,
  isConfig,
  isGroup,
  isNode,
  isSubflow,
  isTab,
  newId,
  numberOf,
  placeOf,
  tabOf,
  wiresOf,
  type Point,
} from './model/item'
import type { Records } from './store'

/** Records that are made for the others: a copy of flows that has them already uses those. */
const isShared = (item: FlowItem): boolean => isConfig(item) || isSubflow(item)

/** These records, and the groups' members, config nodes and subflows that they need, in the order of the file. */
export function withNeeded(records: Records, ids: Iterable<string>): FlowItem[] {
  const needed = new Set<string>()
  const add = (id: string): void => {
    const item = records.get(id)
    if (!item || needed.has(id)) return
    needed.add(id)
    if (isGroup(item)) groupMembers(records, id).forEach(add)
    const template = /^subflow:(.+)$/.exec(item.type)?.[1]
    if (template) add(template)
    if (isSubflow(item)) for (const inner of records.list()) if (tabOf(inner) === id) add(inner.id)
    const shared = (other: string): boolean => {
      const found = records.get(other)
      return found !== undefined && isShared(found)
    }
    referencesIn(item, shared).forEach(add)
  }
  for (const id of ids) add(id)
  return records.list().filter((item) => needed.has(item.id))
}

/** The records of a selection as they are copied: wires that leave the selection are cut. */
export function copyOf(records: Records, ids: Iterable<string>): FlowItem[] {
  const items = withNeeded(records, ids)
  const copied = new Set(items.map((item) => item.id))
  return items.map((item) => cutLoose(item, (id) => copied.has(id)))
}

/** A record without wires to nodes that are not there, and without a group that isn't. */
function cutLoose(item: FlowItem, there: (id: string) => boolean): FlowItem {
  let next = item
  const wires = wiresOf(item)
  if (wires.flat().some((id) => !there(id))) next = { ...next, wires: wires.map((ids) => ids.filter(there)) }
  if (typeof item['g'] === 'string' && !there(item['g'])) {
    next = { ...next }
    delete next['g']
  }
  const members = isGroup(item) ? idsOf(item, 'nodes') : []
  if (members.some((id) => !there(id))) next = { ...next, nodes: members.filter(there) }
  return next
}

/** The rectangle around placed records, by their centres (groups by their frame). */
export function boundsOfItems(items: readonly FlowItem[]): Rect | null {
  return boundsOf(
    items.flatMap((item) => {
      const { x, y } = placeOf(item)
      if (isGroup(item)) return { left: x, top: y, right: x + numberOf(item, 'w'), bottom: y + numberOf(item, 'h') }
      return isNode(item) ? { left: x, top: y, right: x, bottom: y } : []
    }),
  )
}

/** How to bring records in. */
export interface ImportOptions {
  /** The tab for nodes that bring none of their own; `new` makes one. */
  tab: string
  conflicts: ConflictChoice
  /** Where the middle of what comes in shall be; otherwise it keeps its places. */
  at?: Point | undefined
  /** The name of a tab that has to be made. */
  tabLabel?: string
  makeId?: () => string
}

/** What an import did. */
export interface ImportResult {
  /** The nodes and groups that came in. */
  ids: string[]
  /** The first tab that came in, if any. */
  tab: string | null
  /** Records that stayed out, because there are others with their ids. */
  skipped: number
}

/** The ids that are in the flows already with other content: the conflicts to ask about. */
export function conflictsOf(records: Records, items: readonly FlowItem[]): string[] {
  return items.flatMap((item) => {
    const own = records.get(item.id)
    return own && !(isShared(item) && sameItem(own, item)) ? item.id : []
  })
}

/** Brings records into a draft. */
export function importItems(draft: Draft, items: readonly FlowItem[], options: ImportOptions): ImportResult {
  const makeId = options.makeId ?? newId
  const conflicts = new Set(conflictsOf(draft, items))
  const same = (item: FlowItem): boolean => draft.get(item.id) !== undefined && !conflicts.has(item.id)
  let incoming = items.filter((item) => !same(item))
  let skipped = 0
  if (options.conflicts === 'skip') {
    skipped = conflicts.size
    incoming = incoming.filter((item) => !conflicts.has(item.id))
  } else if (options.conflicts === 'copy' && conflicts.size > 0) {
    // Config nodes of a copied selection stand for those that are there, however those look by now.
    const placed = incoming.some((item) => isNode(item) || isGroup(item) || isTab(item))
    const keep = (item: FlowItem): boolean => placed && isConfig(item) && conflicts.has(item.id)
    incoming = withNewIds(
      incoming.filter((item) => !keep(item)),
      { makeId },
    )
  }
  return place(draft, incoming, { ...options, makeId }, skipped)
}

function place(
  draft: Draft,
  items: FlowItem[],
  options: ImportOptions & { makeId: () => string },
  skipped: number,
): ImportResult {
  const containers = new Set(items.filter((item) => isTab(item) || isSubflow(item)).map((item) => item.id))
  const ids = new Set(items.map((item) => item.id))
  const stays = (item: FlowItem): boolean =>
    containers.has(tabOf(item)) || (options.conflicts === 'replace' && draft.get(item.id) !== undefined)
  const homeless = items.filter((item) => (isNode(item) || isGroup(item)) && !stays(item))
  let tab = options.tab
  if (homeless.length > 0 && tab === 'new') {
    tab = options.makeId()
    draft.add({ id: tab, type: 'tab', label: options.tabLabel ?? '', disabled: false, info: '', env: [] })
    containers.add(tab)
  }
  const shift = shiftTo(homeless, options.at)
  const moved = new Set(homeless.map((item) => item.id))
  const there = (id: string): boolean => ids.has(id) || draft.get(id) !== undefined
  for (const item of items) {
    let next = cutLoose(item, there)
    if (moved.has(item.id)) next = { ...next, z: tab, x: placeOf(item).x + shift.x, y: placeOf(item).y + shift.y }
    else if (isConfig(item) && tabOf(item) && !containers.has(tabOf(item)) && !draft.get(tabOf(item))) {
      next = { ...next }
      delete next['z']
    }
    if (draft.get(item.id)) draft.update(item.id, () => next)
    else draft.add(next)
  }
  const firstTab = items.find(isTab)?.id ?? (containers.has(tab) ? tab : null)
  return { ids: items.filter((item) => isNode(item) || isGroup(item)).map((item) => item.id), tab: firstTab, skipped }
}

/** How far to move records so that their middle comes to a point, in whole steps of the grid. */
function shiftTo(items: readonly FlowItem[], at: Point | undefined): Point {
  const bounds = at ? boundsOfItems(items) : null
  if (!bounds || !at) return { x: 0, y: 0 }
  const step = (from: number, to: number): number => Math.round((to - from) / GRID) * GRID
  return { x: step((bounds.left + bounds.right) / 2, at.x), y: step((bounds.top + bounds.bottom) / 2, at.y) }
}
