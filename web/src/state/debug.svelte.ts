/** The stream of the debug panel: what debug nodes sent, and warnings and errors of nodes, at most 1,000. */
import type { DebugData } from '../api/types'

/** A line of the debug panel. */
export interface DebugEntry {
  key: number
  /** When it came, in milliseconds since 1970. */
  time: number
  node: string
  tab: string
  data: DebugData
  level: 'output' | 'warning' | 'error'
}

/** Whose entries are shown. */
export type DebugScope = 'all' | 'tab' | 'selected'

/** How many entries are kept. */
export const MOST_ENTRIES = 1_000

/** Whether an entry holds a text, in what it sent, its topic, its property or its node's name. */
export function holdsText(entry: DebugEntry, text: string): boolean {
  const wanted = text.toLowerCase()
  const { msg, topic, property, name, path } = entry.data
  return [msg, topic, property, name, path, entry.node].some(
    (part) => typeof part === 'string' && part.toLowerCase().includes(wanted),
  )
}

class DebugLog {
  entries = $state.raw<readonly DebugEntry[]>([])
  scope = $state<DebugScope>('all')
  text = $state('')
  #paused = $state(false)
  /** Entries that came while paused. */
  waiting = $state(0)
  /** Errors since the panel was last looked at. */
  unseen = $state(0)
  #held: DebugEntry[] = []
  #next = 1

  get paused(): boolean {
    return this.#paused
  }
  set paused(paused: boolean) {
    this.#paused = paused
    if (paused) return
    this.entries = [...this.entries, ...this.#held].slice(-MOST_ENTRIES)
    this.#held = []
    this.waiting = 0
  }

  /** Takes what arrived since the last frame. */
  add(batch: readonly DebugData[], now = Date.now()): void {
    if (batch.length === 0) return
    const fresh = batch.slice(-MOST_ENTRIES).map((data) => this.#entry(data, now))
    this.unseen += fresh.filter((entry) => entry.level === 'error').length
    if (this.#paused) {
      this.#held = [...this.#held, ...fresh].slice(-MOST_ENTRIES)
      this.waiting += fresh.length
    } else {
      this.entries = [...this.entries, ...fresh].slice(-MOST_ENTRIES)
    }
  }

  /** Forgets everything, what waits as well. */
  clear(): void {
    this.entries = []
    this.#held = []
    this.waiting = 0
    this.unseen = 0
  }

  #entry(data: DebugData, now: number): DebugEntry {
    const level = data.level === undefined || data.level > 30 ? 'output' : data.level <= 20 ? 'error' : 'warning'
    return { key: this.#next++, time: data.timestamp ?? now, node: data.id ?? '', tab: data.z ?? '', data, level }
  }
}

/** The debug stream of the page. */
export const debug = new DebugLog()
