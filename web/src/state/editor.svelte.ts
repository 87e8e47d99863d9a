/**
 * The editor: the model of the flows with what a person does to them. Panels and canvas work with {@link editor}.
 */
import type { FlowItem } from '../api/types'
import { parse, serialise, type ConflictChoice } from '../core/codec/nodered'
import { addNode, addTab, configNodes, moveTab, removeTab, usersOf, type NewNode } from '../core/edit'
import { removeItems, removeWire } from '../core/graph'
import { isGroup, isNode, newId, tabOf, type Point } from '../core/model/item'
import { conflictsOf, copyOf, importItems, type ImportResult } from '../core/transfer'
import { t } from '../i18n/t.svelte'
import { EditorModel } from './model.svelte'

/** What to export. */
export type ExportScope = 'selection' | 'tab' | 'all'

/** The flows as they are edited. */
export class Editor extends EditorModel {
  #clipboard = ''

  /** Removes what is selected. */
  removeSelection(): void {
    const ids = new Set(this.selection.nodes)
    const wires = this.selection.wires
    const label = ids.size > 0 ? t('undo.delete', { count: ids.size }) : t('undo.deleteWire', { count: wires.length })
    this.change(label, (draft) => {
      for (const wire of wires) removeWire(draft, wire)
      removeItems(draft, ids)
    })
  }

  /** Removes records, with the wires to them. */
  removeItems(ids: Iterable<string>): void {
    const gone = new Set(ids)
    this.change(t('undo.delete', { count: gone.size }), (draft) => {
      removeItems(draft, gone)
    })
  }

  /** Puts a new node on the open tab and answers its id. */
  addNode(type: string, x: number, y: number, options: Pick<NewNode, 'from' | 'into' | 'set'> = {}): string {
    const nodeType = this.typeOf({ id: '', type })
    const node = { ...options, id: newId(), type: nodeType, tab: this.tab, at: { x, y } }
    this.change(t('undo.add', { name: nodeType.texts.label }), (draft) => addNode(draft, node))
    this.select([node.id])
    return node.id
  }

  /** Makes a tab, opens it and answers its id. */
  addTab(label = this.freshTabLabel()): string {
    const id = newId()
    this.change(t('undo.addTab'), (draft) => {
      addTab(draft, id, label)
    })
    this.tab = id
    return id
  }

  /** A name for a tab that no other has. */
  freshTabLabel(): string {
    const taken = new Set(this.tabs.map((tab) => tab['label']))
    let number = this.tabs.length + 1
    while (taken.has(t('tab.fresh', { number }))) number += 1
    return t('tab.fresh', { number })
  }

  renameTab(id: string, label: string): void {
    this.change(t('undo.renameTab'), (draft) => {
      draft.update(id, { label })
    })
  }

  /** Removes a tab with everything on it; the one beside it opens. */
  removeTab(id: string): void {
    const index = this.tabs.findIndex((tab) => tab.id === id)
    const neighbour = this.tabs[index + 1] ?? this.tabs[index - 1]
    this.change(t('undo.removeTab'), (draft) => {
      removeTab(draft, id)
    })
    if (this.tab === id) this.tab = neighbour?.id ?? ''
  }

  /** Moves a tab to a place among the tabs. */
  reorderTab(id: string, index: number): void {
    this.change(t('undo.moveTab'), (draft) => {
      moveTab(draft, id, index)
    })
  }

  /** The config nodes of a type (all without one). */
  configNodes(type?: string): FlowItem[] {
    return this.version >= 0 ? configNodes(this.store, type) : []
  }

  /** The records that refer to a config node. */
  usersOf(id: string): FlowItem[] {
    return this.version >= 0 ? usersOf(this.store, id) : []
  }

  /** The selection as JSON; it is kept for {@link paste} too. Empty when nothing is selected. */
  copy(): string {
    if (this.selection.nodes.length > 0) {
      this.#clipboard = serialise(copyOf(this.store, this.selection.nodes), { formatted: false })
    }
    return this.#clipboard
  }

  /** Copies the selection and removes it. */
  cut(): string {
    const text = this.copy()
    if (this.selection.nodes.length > 0) this.removeSelection()
    return text
  }

  /** Brings in what was copied here, or flow JSON from elsewhere. Answers null when it is none. */
  paste(text = this.#clipboard, at?: Point): ImportResult | null {
    const parsed = parse(text)
    return parsed.ok ? this.importItems(parsed.items, { at, label: t('undo.paste') }) : null
  }

  /** Copies the selection to a place beside it. */
  duplicate(): void {
    const items = copyOf(this.store, this.selection.nodes)
    if (items.length === 0) return
    const shifted = items.map((item) => (isNode(item) || isGroup(item) ? shift(item, 40) : item))
    this.importItems(shifted, { label: t('undo.duplicate') })
  }

  /** The ids among `items` that are taken by something else. */
  conflicts(items: readonly FlowItem[]): string[] {
    return conflictsOf(this.store, items)
  }

  /** Brings records in (see core/transfer) and selects them. */
  importItems(
    items: readonly FlowItem[],
    options: { tab?: string; conflicts?: ConflictChoice; at?: Point | undefined; label?: string } = {},
  ): ImportResult {
    const tab = options.tab ?? (this.tab || 'new')
    const { conflicts = 'copy', at, label = t('undo.import') } = options
    const settings = { tab, conflicts, at, tabLabel: this.freshTabLabel() }
    const result = this.change(label, (draft) => importItems(draft, items, settings))
    if (result.tab) this.tab = result.tab
    this.select(result.ids)
    return result
  }

  /** Records to export, with the config nodes and subflows that they need. */
  exportItems(scope: ExportScope): FlowItem[] {
    if (scope === 'all') return this.store.list()
    if (scope === 'selection') return copyOf(this.store, this.selection.nodes)
    const onTab = this.store.list().filter((item) => item.id === this.tab || tabOf(item) === this.tab)
    return copyOf(
      this.store,
      onTab.map((item) => item.id),
    )
  }
}

function shift(item: FlowItem, distance: number): FlowItem {
  return { ...item, x: Number(item['x']) + distance, y: Number(item['y']) + distance }
}

/** The flows of this page. */
export const editor = new Editor()
