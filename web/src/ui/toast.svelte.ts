/** Short notices in the corner: what happened, and what can be done about it. */

/** How serious a notice is; errors stay until they are closed. */
export type ToastLevel = 'info' | 'success' | 'warning' | 'error'

/** A notice to show. */
export interface ToastOptions {
  level?: ToastLevel
  text: string
  /** A second line, say the server's own sentence. */
  detail?: string
  actions?: { label: string; run: () => void }[]
  /** Stays until it is closed or one of its actions is taken. */
  keep?: boolean
  /** A notice with the same key is replaced, not added to. */
  key?: string
}

interface Toast extends ToastOptions {
  id: number
  level: ToastLevel
}

const SHOWN_FOR: Record<ToastLevel, number> = { info: 5_000, success: 3_500, warning: 9_000, error: Infinity }
const MOST = 4

class Toasts {
  list = $state<Toast[]>([])
  #next = 1

  /** Shows a notice and answers its id, for {@link dismiss}. */
  show(options: ToastOptions): number {
    const toast: Toast = { ...options, level: options.level ?? 'info', id: this.#next++ }
    const others = options.key === undefined ? this.list : this.list.filter((other) => other.key !== options.key)
    this.list = [...others, toast].slice(-MOST)
    const duration = options.keep
      ? Infinity
      : options.actions
        ? Math.max(10_000, SHOWN_FOR[toast.level])
        : SHOWN_FOR[toast.level]
    if (Number.isFinite(duration))
      setTimeout(() => {
        this.dismiss(toast.id)
      }, duration)
    return toast.id
  }

  /** Shows that something failed, with the server's own sentence. */
  failed(text: string, error: unknown, key = text): number {
    return this.show({ level: 'error', text, detail: error instanceof Error ? error.message : String(error), key })
  }

  /** Takes a notice away, by its id or its key. */
  dismiss(which: number | string): void {
    this.list = this.list.filter((toast) => toast.id !== which && toast.key !== which)
  }
}

/** The notices of the page. */
export const toast = new Toasts()
