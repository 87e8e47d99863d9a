/**
 * What the Node face shows: the record that is edited, and config nodes that were opened from its fields, one on
 * another. The record is the one that was opened, or else the one that is selected.
 */
import { newId } from '../../core/model/item'
import { freshItem, labelOf } from '../../core/catalog'
import { t } from '../../i18n/t.svelte'
import { editor } from '../../state/editor.svelte'
import { settings } from '../../state/settings.svelte'

class Inspector {
  #opened = $state.raw<readonly string[]>([])

  /** The record at the bottom of the stack. */
  readonly base = $derived.by(() => {
    const selected = editor.selection.nodes
    return editor.editing ?? (selected.length === 1 ? (selected[0] ?? null) : null)
  })
  /** Config nodes above it that still exist. */
  readonly opened = $derived.by(() => this.#opened.filter((id) => editor.get(id) !== undefined))
  /** The record whose form is shown. */
  readonly current = $derived.by(() => this.opened.at(-1) ?? this.base)

  /** Shows the form of a record. */
  open(id: string): void {
    this.#opened = []
    editor.editing = id
    settings.show('node')
  }

  /** Puts a config node on top. */
  push(id: string): void {
    this.#opened = [...this.opened.filter((other) => other !== id), id]
    settings.show('node')
  }

  /** Takes the top one away. */
  back(): void {
    if (this.opened.length > 0) this.#opened = this.opened.slice(0, -1)
    else this.close()
  }

  /** Shows nothing. */
  close(): void {
    this.#opened = []
    editor.editing = null
    settings.wide = false
  }

  /** Forgets the config nodes on top: another record is shown now. */
  reset(): void {
    this.#opened = []
  }

  /** Makes a config node and answers its id. */
  createConfig(type: string, use?: (id: string) => void): string | null {
    const nodeType = editor.catalog.get(type)
    if (!nodeType) return null
    const id = newId()
    editor.change(t('undo.add', { name: nodeType.texts.label }), (draft) => draft.add(freshItem(nodeType, id)), {
      merge: `config:${id}`,
    })
    use?.(id)
    this.push(id)
    return id
  }
}

/** The Node face's state. */
export const inspector = new Inspector()

/** The words on a record. */
export function labelFor(id: string): string {
  const item = editor.get(id)
  return item ? labelOf(item, editor.typeOf(item)) : id
}
