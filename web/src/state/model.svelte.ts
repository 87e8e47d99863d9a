/**
 * The model of the flows that are edited: records, history, what runs, what is open and selected.
 *
 * Every change goes through {@link EditorModel.change}; so everything can be undone and counted.
 */
import type { FlowItem, NodeType } from '../api/types'
import { isMissing, typeOf } from '../core/catalog'
import { changesBetween, countOf, refreshed, type Changes } from '../core/diff'
import { Draft } from '../core/draft'
import { History } from '../core/history'
import { isConfig, isDisabled, isGroup, isNode, isSubflow, isTab, tabOf } from '../core/model/item'
import { isEmpty, RecordStore, touchedIds, type Diff } from '../core/store'
import { problemsOf, type ItemProblem } from '../core/validate'
import { TabGraph } from './graph.svelte'
import { Selection, type SelectMode, type SelectTarget } from './selection.svelte'

/** How to make a change. */
export interface ChangeOptions {
  /** Changes with the same key that follow each other soon are one step of undo. */
  merge?: string
}

/** The flows, their history and their marks; {@link Editor} adds what a person does with them. */
export class EditorModel {
  readonly store = new RecordStore()
  readonly history = new History(this.store)
  /** The open tab as the canvas draws it. */
  readonly graph: TabGraph
  readonly selection: Selection
  /** The version of the flows that run, as far as this page knows. */
  rev = $state('')
  /** Whether flows were loaded. */
  loaded = $state(false)
  /** The id of the node whose form is open. */
  editing = $state<string | null>(null)
  /** Credentials typed here and not yet deployed, by node. */
  pendingCredentials = $state.raw<ReadonlyMap<string, Record<string, string>>>(new Map())
  /** What is wrong, by node. */
  problems = $state.raw<ReadonlyMap<string, ItemProblem[]>>(new Map())

  #catalog = $state.raw<ReadonlyMap<string, NodeType>>(new Map())
  #tab = $state('')
  #version = $state(0)
  #deployed = new RecordStore()
  #changes = $state.raw<Changes>({ added: new Set(), changed: new Set(), removed: new Set(), reordered: false })

  /** All tabs in their order. */
  readonly tabs = $derived.by(() => this.items.filter(isTab))
  /** All records in their order. */
  readonly items = $derived.by(() => (this.version >= 0 ? this.store.list() : []))
  /** Ids that differ from what runs, new ones among them. */
  readonly changedIds = $derived.by(
    () => new Set([...this.#changes.added, ...this.#changes.changed, ...this.pendingCredentials.keys()]),
  )
  /** How many things a deploy would change. */
  readonly changeCount = $derived.by(() => {
    const known = (id: string): boolean => this.#changes.added.has(id) || this.#changes.changed.has(id)
    return countOf(this.#changes) + [...this.pendingCredentials.keys()].filter((id) => !known(id)).length
  })
  readonly undoLabel = $derived.by(() => (this.version >= 0 ? this.history.last?.label : undefined))
  readonly redoLabel = $derived.by(() => (this.version >= 0 ? this.history.next?.label : undefined))

  constructor() {
    this.graph = new TabGraph({
      list: () => this.store.list(),
      typeOf: (item) => this.typeOf(item),
      marksOf: (id) => ({ changed: this.changedIds.has(id), problems: this.problems.get(id) ?? [] }),
    })
    this.selection = new Selection(this.graph)
    this.store.subscribe((diff) => {
      this.#follow(diff)
    })
  }

  /** Counts up with every change; read it to follow the store from a template or an effect. */
  get version(): number {
    return this.#version
  }

  /** What a deploy would add, change and remove. */
  get changes(): Changes {
    return this.#changes
  }

  get canUndo(): boolean {
    return this.undoLabel !== undefined
  }

  get canRedo(): boolean {
    return this.redoLabel !== undefined
  }

  /** The node types of the server by name. */
  get catalog(): ReadonlyMap<string, NodeType> {
    return this.#catalog
  }

  set catalog(types: ReadonlyMap<string, NodeType>) {
    this.#catalog = types
    this.#checkAll()
    this.graph.show(this.#tab)
    this.selection.refresh()
  }

  /** The id of the open tab (or subflow). */
  get tab(): string {
    return this.#tab
  }

  set tab(id: string) {
    if (id === this.#tab) return
    this.selection.clear()
    this.#tab = id
    this.graph.show(id)
  }

  /** A record by its id; templates that read it follow its changes. */
  get(id: string): FlowItem | undefined {
    return this.version >= 0 ? this.store.get(id) : undefined
  }

  /** The type of a record, or a stand-in of category `missing`. */
  typeOf(item: FlowItem): NodeType {
    return typeOf(item, this.#catalog, this.store)
  }

  /** Replaces everything with the flows of the server. */
  load(flows: readonly FlowItem[], rev: string): void {
    this.store.reset(flows)
    this.history.clear()
    this.pendingCredentials = new Map()
    this.editing = null
    this.selection.clear()
    this.markDeployed(rev)
    this.#checkAll()
    const open = this.store.get(this.#tab)
    if (!open || !(isTab(open) || isSubflow(open))) this.#tab = this.#firstTab()
    this.graph.show(this.#tab)
    this.loaded = true
    this.#version += 1
  }

  /** All records to deploy, with the credentials that were typed here. */
  serialise(): FlowItem[] {
    return this.store.list().map((item) => {
      const credentials = this.pendingCredentials.get(item.id)
      return credentials ? { ...item, credentials } : item
    })
  }

  /** `sent` (now the present) is what runs, under this version. What was changed since it was sent stays changed. */
  markDeployed(rev: string, sent: readonly FlowItem[] = this.serialise()): void {
    this.rev = rev
    const pending = new Map(this.pendingCredentials)
    const records = sent.map((item) => {
      const typed = pending.get(item.id)
      if (!typed || item['credentials'] === undefined) return item
      if (typed === item['credentials']) pending.delete(item.id)
      return this.#withoutTyped(item)
    })
    this.pendingCredentials = pending
    this.#deployed.reset(records)
    this.#changes = changesBetween(this.#deployed, this.store)
    this.graph.refreshMarks(this.graph.nodes.keys())
  }

  /** The record that runs under this id. */
  deployedItem(id: string): FlowItem | undefined {
    return this.#deployed.get(id)
  }

  /** Keeps a credential for the next deploy. */
  setCredential(id: string, name: string, value: string): void {
    const own = { ...this.pendingCredentials.get(id), [name]: value }
    this.pendingCredentials = new Map(this.pendingCredentials).set(id, own)
    this.graph.refreshMarks([id])
  }

  /** Changes records; all edits of `edit` are one step of undo with this label. Answers what `edit` answers. */
  change<T>(label: string, edit: (draft: Draft) => T, options: ChangeOptions = {}): T {
    const draft = new Draft(this.store)
    const result = edit(draft)
    const diff = draft.diff()
    if (!isEmpty(diff)) {
      this.store.apply(diff)
      this.history.record(label, diff, options)
      this.#version += 1
    }
    return result
  }

  /** Takes the last step back. */
  undo(): void {
    const entry = this.history.undo()
    if (entry) this.#show(entry.diffs)
  }

  /** Does the step again that was undone last. */
  redo(): void {
    const entry = this.history.redo()
    if (entry) this.#show(entry.diffs)
  }

  /** Selects nodes, groups and wires of the open tab. */
  select(target: SelectTarget | Iterable<string>, mode: SelectMode = 'set'): void {
    this.selection.select(Symbol.iterator in target ? { nodes: target } : target, mode)
  }

  clearSelection(): void {
    this.selection.clear()
  }

  /** Opens the tab that a node stands on and selects it. Answers whether there is such a node. */
  reveal(id: string): boolean {
    const item = this.store.get(id)
    if (!item || isConfig(item)) return false
    this.tab = isTab(item) || isSubflow(item) ? item.id : tabOf(item)
    this.select([id])
    return true
  }

  /** The tab to begin with. Nodes of a file that lacks their tab are shown all the same. */
  #firstTab(): string {
    const items = this.store.list()
    const stray = items.find(isNode)
    return items.find(isTab)?.id ?? (stray ? tabOf(stray) : '')
  }

  #withoutTyped(item: FlowItem): FlowItem {
    const current = this.store.get(item.id)
    const { credentials: _typed, ...rest } = item
    return current?.['credentials'] === undefined ? rest : { ...item, credentials: current['credentials'] }
  }

  #follow(diff: Diff): void {
    const touched = touchedIds(diff)
    this.#changes = refreshed(this.#changes, touched, this.#deployed, this.store)
    if (this.#touchesReferences(diff)) this.#checkAll()
    else this.#check(touched)
    this.graph.update(diff)
    this.graph.refreshMarks(touched)
    this.selection.refresh()
    if (this.editing !== null && !this.store.get(this.editing)) this.editing = null
  }

  /** Whether other records than those of the diff may have become right or wrong by it. */
  #touchesReferences(diff: Diff): boolean {
    const placed = [...diff.added, ...diff.removed].some(({ item }) => isConfig(item) || isSubflow(item))
    return placed || diff.updated.some(([, after]) => isSubflow(after))
  }

  #checkAll(): void {
    this.problems = new Map()
    this.#check(this.store.order())
    this.graph.refreshMarks(this.graph.nodes.keys())
  }

  #check(ids: Iterable<string>): void {
    const problems = new Map(this.problems)
    for (const id of ids) {
      const found = this.#problemsOf(id)
      if (found.length > 0) problems.set(id, found)
      else problems.delete(id)
    }
    this.problems = problems
  }

  #problemsOf(id: string): ItemProblem[] {
    const item = this.store.get(id)
    if (!item || isDisabled(item) || !(isNode(item) || isConfig(item)) || this.#catalog.size === 0) return []
    const type = this.typeOf(item)
    // A config node of an unknown type without users does no harm, and its type may be no node at all.
    if (isMissing(type) && isConfig(item)) return []
    return problemsOf(item, type, this.store)
  }

  /** After undo and redo: what changed comes into view. */
  #show(diffs: readonly Diff[]): void {
    this.#version += 1
    const ids = new Set(diffs.flatMap((diff) => [...touchedIds(diff)]))
    const open = this.store.get(this.#tab)
    const items = [...ids].flatMap((id) => this.store.get(id) ?? [])
    const placed = items.filter((item) => isNode(item) || isGroup(item))
    if (!open) this.tab = placed.map(tabOf).find((id) => this.store.get(id)) ?? this.tabs[0]?.id ?? ''
    else if (placed.length > 0 && placed.every((item) => tabOf(item) !== this.#tab)) {
      this.tab = placed.map(tabOf).find((id) => this.store.get(id)) ?? this.#tab
    }
    const here = placed.filter((item) => tabOf(item) === this.#tab)
    if (here.length > 0) this.select(here.map((item) => item.id))
  }
}
