/** A copy of undeployed changes in the browser, so that closing the page loses nothing. */
import type { FlowItem } from '../api/types'
import { sameItem } from '../core/diff'
import { editor } from './editor.svelte'

const KEY = 'flowrill.draft'
/** How long after a change the copy is written. */
const DELAY = 800

interface Stored {
  rev: string
  time: number
  flows: FlowItem[]
}

function isStored(value: unknown): value is Stored {
  return (
    typeof value === 'object' &&
    value !== null &&
    'flows' in value &&
    Array.isArray(value.flows) &&
    'rev' in value &&
    typeof value.rev === 'string'
  )
}

class DraftCopy {
  /** A copy that a former page left, to be offered. */
  found = $state.raw<Stored | null>(null)
  #timer: ReturnType<typeof setTimeout> | null = null

  /** Looks for a copy that differs from what was loaded. */
  look(): void {
    try {
      const text = localStorage.getItem(KEY)
      const value: unknown = text === null ? null : JSON.parse(text)
      this.found = isStored(value) ? value : null
    } catch {
      this.found = null
    }
  }

  /** Puts the copy in the place of the loaded flows, as one step that can be undone. */
  restore(label: string): void {
    const stored = this.found
    this.found = null
    if (!stored) return
    const ids = new Set(stored.flows.map((item) => item.id))
    editor.change(label, (draft) => {
      for (const item of draft.list()) if (!ids.has(item.id)) draft.remove(item.id)
      for (const item of stored.flows) {
        const own = draft.get(item.id)
        if (!own) draft.add(item)
        else if (!sameItem(own, item)) draft.update(item.id, () => item)
      }
    })
    if (!editor.tabs.some((tab) => tab.id === editor.tab)) editor.tab = editor.tabs[0]?.id ?? ''
  }

  /** Writes the copy soon; secrets stay out of it. */
  save(): void {
    if (this.found) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#write()
    }, DELAY)
  }

  /** Throws the copy away. */
  forget(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.found = null
    try {
      localStorage.removeItem(KEY)
    } catch {
      return
    }
  }

  #write(): void {
    if (editor.changeCount === 0) {
      this.forget()
      return
    }
    try {
      localStorage.setItem(KEY, JSON.stringify({ rev: editor.rev, time: Date.now(), flows: editor.store.list() }))
    } catch {
      // Too large or not allowed: the warning before leaving the page has to do.
      return
    }
  }
}

/** The copy of this browser. */
export const draft = new DraftCopy()
