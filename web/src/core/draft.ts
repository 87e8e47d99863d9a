/** Changes in the making: edits against a store that show in the draft at once and become one diff in the end. */
import type { FlowItem, Json } from '../api/types'
import { patched } from './model/item'
import type { Diff, RecordStore, Records } from './store'

/** What to change of a record: properties with their new values (`undefined` takes one away), or a function. */
export type Patch = Record<string, Json | undefined> | ((item: FlowItem) => FlowItem)

/** A set of edits. Nothing reaches the store before its diff is applied. */
export class Draft implements Records {
  readonly #store: RecordStore
  readonly #changed = new Map<string, FlowItem | null>()
  #order: string[] | null = null

  constructor(store: RecordStore) {
    this.#store = store
  }

  get(id: string): FlowItem | undefined {
    const changed = this.#changed.get(id)
    return changed === undefined ? this.#store.get(id) : (changed ?? undefined)
  }

  list(): FlowItem[] {
    return (this.#order ?? this.#store.order()).flatMap((id) => this.get(id) ?? [])
  }

  /** Adds a record at the end, or in front of the one with the id `before`. */
  add(item: FlowItem, before?: string): void {
    const order = this.#ownOrder()
    const at = before === undefined ? -1 : order.indexOf(before)
    order.splice(at < 0 ? order.length : at, 0, item.id)
    this.#changed.set(item.id, item)
  }

  /** Changes a record; one that doesn't exist is left alone. */
  update(id: string, patch: Patch): void {
    const item = this.get(id)
    if (!item) return
    this.#changed.set(id, typeof patch === 'function' ? patch(item) : patched(item, patch))
  }

  /** Takes a record out. Wires and references to it are the caller's. */
  remove(id: string): void {
    if (!this.get(id)) return
    const order = this.#ownOrder()
    order.splice(order.indexOf(id), 1)
    this.#changed.set(id, null)
  }

  /** Moves a record in front of another, or to the end. */
  move(id: string, before?: string): void {
    if (!this.get(id) || id === before) return
    const order = this.#ownOrder()
    order.splice(order.indexOf(id), 1)
    const at = before === undefined ? -1 : order.indexOf(before)
    order.splice(at < 0 ? order.length : at, 0, id)
  }

  /** What all edits together change. */
  diff(): Diff {
    const diff: Diff = { added: [], updated: [], removed: [] }
    const moved = this.#movedIds()
    this.#store.order().forEach((id, index) => {
      const item = this.#store.get(id)
      if (item && (moved.has(id) || this.#changed.get(id) === null)) diff.removed.push({ item, index })
    })
    if (this.#order) {
      this.#order.forEach((id, index) => {
        const item = this.get(id)
        if (item && (moved.has(id) || !this.#store.get(id))) diff.added.push({ item, index })
      })
    }
    for (const [id, after] of this.#changed) {
      const before = this.#store.get(id)
      if (before && after && before !== after && !moved.has(id)) diff.updated.push([before, after])
    }
    return diff
  }

  /** Ids that stay but stand elsewhere: those out of step when the old and the new order are walked side by side. */
  #movedIds(): Set<string> {
    const moved = new Set<string>()
    if (!this.#order) return moved
    const stays = new Set(this.#order)
    const before = this.#store.order().filter((id) => stays.has(id))
    const known = new Set(before)
    const after = this.#order.filter((id) => known.has(id))
    let from = 0
    let to = after.length
    while (from < to && before[from] === after[from]) from += 1
    while (to > from && before[to - 1] === after[to - 1]) to -= 1
    for (const id of after.slice(from, to)) moved.add(id)
    return moved
  }

  #ownOrder(): string[] {
    this.#order ??= [...this.#store.order()]
    return this.#order
  }
}
