/** What differs between the flows that run and those on the canvas: the number on Deploy and the dots on nodes. */
import type { FlowItem } from '../api/types'
import { isTab, sameJson } from './model/item'
import type { Records } from './store'

/** The ids that a deploy would add, change and remove. A mere change of place counts. */
export interface Changes {
  added: Set<string>
  changed: Set<string>
  removed: Set<string>
  /** The tabs stand in another order. */
  reordered: boolean
}

/** How many things changed. */
export function countOf(changes: Changes): number {
  return changes.added.size + changes.changed.size + changes.removed.size + (changes.reordered ? 1 : 0)
}

/** Whether two records say the same. */
export function sameItem(a: FlowItem, b: FlowItem): boolean {
  return a === b || sameJson(a, b)
}

/** Compares the deployed records with the present ones. */
export function changesBetween(deployed: Records, current: Records): Changes {
  const changes: Changes = { added: new Set(), changed: new Set(), removed: new Set(), reordered: false }
  const before = deployed.list()
  const after = current.list()
  for (const item of after) {
    const old = deployed.get(item.id)
    if (!old) changes.added.add(item.id)
    else if (!sameItem(old, item)) changes.changed.add(item.id)
  }
  for (const item of before) if (!current.get(item.id)) changes.removed.add(item.id)
  changes.reordered = tabsReordered(before, after)
  return changes
}

/** Whether the tabs that are in both lists stand in another order. */
function tabsReordered(before: FlowItem[], after: FlowItem[]): boolean {
  const old = before.filter(isTab).map((tab) => tab.id)
  const now = after.filter(isTab).map((tab) => tab.id)
  const inBoth = new Set(old.filter((id) => now.includes(id)))
  const rest = now.filter((id) => inBoth.has(id))
  return old.filter((id) => inBoth.has(id)).some((id, index) => rest[index] !== id)
}

/** Brings changes up to date for some ids only; cheaper than comparing everything after each edit. */
export function refreshed(changes: Changes, ids: Iterable<string>, deployed: Records, current: Records): Changes {
  const next: Changes = {
    added: new Set(changes.added),
    changed: new Set(changes.changed),
    removed: new Set(changes.removed),
    reordered: changes.reordered,
  }
  let tabs = false
  for (const id of ids) {
    const before = deployed.get(id)
    const after = current.get(id)
    set(next.added, id, !before && after !== undefined)
    set(next.removed, id, before !== undefined && !after)
    set(next.changed, id, before !== undefined && after !== undefined && !sameItem(before, after))
    tabs ||= [before, after].some((item) => item !== undefined && isTab(item))
  }
  if (tabs) next.reordered = tabsReordered(deployed.list(), current.list())
  return next
}

function set(ids: Set<string>, id: string, member: boolean): void {
  if (member) ids.add(id)
  else ids.delete(id)
}
