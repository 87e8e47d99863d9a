/**
 * The records of a flow file in their order, and the only way to change them: a diff.
 *
 * A diff says what was there before and what after, so it can be turned round, kept for undo, counted and sent on.
 */
import type { FlowItem } from '../api/types'

/** A record with its place in the file. */
export interface Placed {
  item: FlowItem
  index: number
}

/**
 * A change of the records. The indexes of `removed` count in the list before, those of `added` in the list after, both
 * ascending. An id that is in both has moved to another place.
 */
export interface Diff {
  added: Placed[]
  updated: [before: FlowItem, after: FlowItem][]
  removed: Placed[]
}

/** The diff that takes this one back. */
export function inverted(diff: Diff): Diff {
  return {
    added: diff.removed,
    updated: diff.updated.map(([before, after]) => [after, before]),
    removed: diff.added,
  }
}

/** Whether a diff changes nothing. */
export function isEmpty(diff: Diff): boolean {
  return diff.added.length === 0 && diff.updated.length === 0 && diff.removed.length === 0
}

/** The ids that a diff touches. */
export function touchedIds(diff: Diff): Set<string> {
  const ids = new Set<string>()
  for (const { item } of diff.added) ids.add(item.id)
  for (const [, after] of diff.updated) ids.add(after.id)
  for (const { item } of diff.removed) ids.add(item.id)
  return ids
}

/** What can be read of the records; a draft offers the same view with its changes in it. */
export interface Records {
  get(id: string): FlowItem | undefined
  list(): FlowItem[]
}

/** The records of a flow file. */
export class RecordStore implements Records {
  #items = new Map<string, FlowItem>()
  #order: string[] = []
  readonly #listeners = new Set<(diff: Diff) => void>()

  constructor(items: readonly FlowItem[] = []) {
    this.reset(items)
  }

  /** Replaces all records without telling anybody: a flow file was loaded. Of two with one id the later counts. */
  reset(items: readonly FlowItem[]): void {
    this.#items = new Map(items.map((item) => [item.id, item]))
    this.#order = [...this.#items.keys()]
  }

  get size(): number {
    return this.#items.size
  }

  get(id: string): FlowItem | undefined {
    return this.#items.get(id)
  }

  /** All records in the order of the file. */
  list(): FlowItem[] {
    return this.#order.flatMap((id) => this.#items.get(id) ?? [])
  }

  /** The ids in the order of the file. */
  order(): readonly string[] {
    return this.#order
  }

  /** Carries out a diff and tells the subscribers. */
  apply(diff: Diff): void {
    if (isEmpty(diff)) return
    if (diff.removed.length > 0) {
      const gone = new Set(diff.removed.map(({ item }) => item.id))
      for (const id of gone) this.#items.delete(id)
      this.#order = this.#order.filter((id) => !gone.has(id))
    }
    if (diff.added.length > 0) {
      const order = [...this.#order]
      for (const { item, index } of diff.added) {
        this.#items.set(item.id, item)
        order.splice(index, 0, item.id)
      }
      this.#order = order
    }
    for (const [, after] of diff.updated) this.#items.set(after.id, after)
    for (const listener of this.#listeners) listener(diff)
  }

  /** Calls back after every change, until the returned function is called. */
  subscribe(listener: (diff: Diff) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
