/**
 * Undo and redo: every change a person makes, as diffs with a label.
 *
 * A gesture that makes many changes sets a mark first and squashes to it in the end, so that one undo takes it all back.
 */
import { inverted, type Diff, type RecordStore } from './store'

/** One step of the history. */
export interface HistoryEntry {
  /** What was done, in the person's words: "Move 3 nodes". */
  label: string
  diffs: Diff[]
  /** Steps with the same key that follow each other soon are one: typing in a field is not a step a letter. */
  merge?: string | undefined
  time: number
}

/** A point in the history to come back to. */
export type Mark = number

/** How long after the last one a step with the same merge key still joins it. */
const MERGE_WITHIN = 2_000
/** Steps kept. */
const MOST = 500

/** The history of a store. */
export class History {
  readonly #store: RecordStore
  #done: HistoryEntry[] = []
  #undone: HistoryEntry[] = []
  /** Steps that fell out at the old end; marks count them too. */
  #dropped = 0

  constructor(store: RecordStore) {
    this.#store = store
  }

  /** The step that undo would take back. */
  get last(): HistoryEntry | undefined {
    return this.#done.at(-1)
  }

  /** The step that redo would do again. */
  get next(): HistoryEntry | undefined {
    return this.#undone.at(-1)
  }

  /** Forgets everything: another file was loaded. */
  clear(): void {
    this.#done = []
    this.#undone = []
    this.#dropped = 0
  }

  /** Keeps a change that was just applied. What was undone before can't be redone any more. */
  record(label: string, diff: Diff, options: { merge?: string | undefined; now?: number } = {}): void {
    const time = options.now ?? Date.now()
    const last = this.#undone.length === 0 ? this.last : undefined
    this.#undone = []
    if (last && options.merge !== undefined && last.merge === options.merge && time - last.time < MERGE_WITHIN) {
      last.diffs = joined([...last.diffs, diff])
      last.time = time
      return
    }
    this.#done.push({ label, diffs: [diff], merge: options.merge, time })
    if (this.#done.length > MOST) this.#dropped += this.#done.splice(0, this.#done.length - MOST).length
  }

  /** The present as a point to come back to. */
  mark(): Mark {
    return this.#dropped + this.#done.length
  }

  /** Makes everything since the mark one step. */
  squash(mark: Mark, label: string): void {
    const start = Math.max(mark - this.#dropped, 0)
    const steps = this.#done.splice(start)
    const last = steps.at(-1)
    if (last) this.#done.push({ label, diffs: joined(steps.flatMap((step) => step.diffs)), time: last.time })
  }

  /** Takes back everything since the mark and forgets it: a gesture was broken off. */
  bail(mark: Mark): void {
    while (this.mark() > mark && this.#done.length > 0) {
      this.undo()
      this.#undone.pop()
    }
  }

  /** Takes the last step back. */
  undo(): HistoryEntry | undefined {
    const entry = this.#done.pop()
    if (!entry) return undefined
    for (const diff of entry.diffs.toReversed()) this.#store.apply(inverted(diff))
    this.#undone.push(entry)
    return entry
  }

  /** Does the last step that was undone again. */
  redo(): HistoryEntry | undefined {
    const entry = this.#undone.pop()
    if (!entry) return undefined
    for (const diff of entry.diffs) this.#store.apply(diff)
    this.#done.push({ ...entry, merge: undefined })
    return entry
  }
}

/** Diffs that follow each other, with runs of mere updates joined into one. */
function joined(diffs: Diff[]): Diff[] {
  const result: Diff[] = []
  for (const diff of diffs) {
    const last = result.at(-1)
    if (last && isUpdate(last) && isUpdate(diff)) result[result.length - 1] = joinUpdates(last, diff)
    else result.push(diff)
  }
  return result
}

const isUpdate = (diff: Diff): boolean => diff.added.length === 0 && diff.removed.length === 0

function joinUpdates(first: Diff, second: Diff): Diff {
  const updates = new Map(first.updated.map(([before, after]) => [after.id, { before, after }]))
  for (const [before, after] of second.updated) {
    updates.set(after.id, { before: updates.get(after.id)?.before ?? before, after })
  }
  return { added: [], removed: [], updated: Array.from(updates.values(), ({ before, after }) => [before, after]) }
}
