/**
 * What is known of the built-in broker: the open part of the topic tree, the clients, the counts. It hears of changes only
 * while the panel is there.
 */
import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import { BrokerSocket, type BrokerClient, type BrokerFrame, type BrokerStats, type TopicChild } from '../api/broker'

/** The faces of the broker panel. */
export type BrokerFace = 'topics' | 'clients'

/** A row of the tree. */
export interface TopicRow {
  /** The whole topic. */
  topic: string
  child: TopicChild
  depth: number
  /** The branch below it, if there is one. */
  branch: string | null
  open: boolean
}

/** Numbers that are kept for a line, for each topic. */
const HISTORY = 60
/** Topics whose numbers are kept. */
const MOST_HISTORIES = 500

const byName = (a: TopicChild, b: TopicChild): number => a.name.localeCompare(b.name, undefined, { numeric: true })

/** The number in a payload: all of it, or the one number of a JSON object. */
export function numberIn(payload: string): number | null {
  const text = payload.trim()
  if (text === '') return null
  const plain = Number(text)
  if (Number.isFinite(plain)) return plain
  if (!text.startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    const numbers = Object.values(value).filter((entry): entry is number => typeof entry === 'number')
    return numbers[0] ?? null
  } catch {
    return null
  }
}

/** The built-in broker as it is seen. */
export class BrokerState {
  face = $state<BrokerFace>('topics')
  /** The topic whose details are shown. */
  selected = $state<string | null>(null)
  /** What the names of topics are filtered by. */
  text = $state('')
  stats = $state.raw<BrokerStats | null>(null)
  /** Something has been heard. */
  known = $state(false)
  readonly clients = new SvelteMap<string, BrokerClient>()
  readonly open = new SvelteSet<string>([''])
  readonly #branches = new SvelteMap<string, { children: Map<string, TopicChild>; more: number }>()
  readonly #histories = new Map<string, number[]>()
  #socket: BrokerSocket | null = null

  /** Hears from now on. */
  start(): void {
    this.#socket ??= new BrokerSocket(
      (frame) => {
        this.take(frame)
      },
      () => {
        this.#branches.clear()
        this.clients.clear()
      },
    )
    this.look()
  }

  /** Hears no more; what is known is kept. */
  stop(): void {
    this.#socket?.close()
    this.#socket = null
  }

  /** Says what is looked at. */
  look(): void {
    const topics = this.face === 'topics'
    this.#socket?.look({ branches: topics ? [...this.open] : [], clients: this.face === 'clients' })
  }

  /** Opens or closes a branch. */
  toggle(branch: string): void {
    if (this.open.has(branch)) {
      for (const one of [...this.open]) if (one.startsWith(branch)) this.open.delete(one)
    } else this.open.add(branch)
    this.look()
  }

  /** Takes what the server tells. */
  take(frame: BrokerFrame): void {
    this.known = true
    if (frame.stats) this.stats = frame.stats
    for (const [name, change] of Object.entries(frame.branches ?? {})) {
      const children = new Map(this.#branches.get(name)?.children)
      for (const gone of change.gone ?? []) children.delete(gone)
      for (const child of change.children) {
        children.set(child.name, child)
        if (child.value) this.#remember(name + child.name, child.value.payload)
      }
      this.#branches.set(name, { children, more: change.more })
    }
    for (const gone of frame.clients?.gone ?? []) this.clients.delete(gone)
    for (const client of frame.clients?.changed ?? []) this.clients.set(client.id, client)
  }

  #remember(topic: string, payload: string): void {
    const number = numberIn(payload)
    if (number === null) return
    const history = this.#histories.get(topic) ?? []
    history.push(number)
    if (history.length > HISTORY) history.shift()
    this.#histories.set(topic, history)
    if (this.#histories.size <= MOST_HISTORIES) return
    const oldest = this.#histories.keys().next().value
    if (oldest !== undefined) this.#histories.delete(oldest)
  }

  /** The last numbers of a topic, the newest last. */
  history(topic: string): readonly number[] {
    return this.#histories.get(topic) ?? []
  }

  /** The topic's last message, as far as its branch is open. */
  find(topic: string): TopicChild | undefined {
    const at = topic.lastIndexOf('/') + 1
    return this.#branches.get(topic.slice(0, at))?.children.get(topic.slice(at))
  }

  /** Children beyond those that the server tells, of all open branches. */
  get more(): number {
    let more = 0
    for (const name of this.open) more += this.#branches.get(name)?.more ?? 0
    return more
  }

  /** The rows of the tree, in order; with a filter those whose topic has the text in it, and what is above them. */
  rows(): TopicRow[] {
    const text = this.text.trim().toLowerCase()
    const rows: TopicRow[] = []
    const walk = (name: string, depth: number): boolean => {
      const children = [...(this.#branches.get(name)?.children.values() ?? [])].sort(byName)
      let found = false
      for (const child of children) {
        const topic = name + child.name
        const branch = child.topics > (child.value ? 1 : 0) ? `${topic}/` : null
        const open = branch !== null && this.open.has(branch)
        const place = rows.length
        rows.push({ topic, child, depth, branch, open })
        const below = open && walk(branch, depth + 1)
        if (text === '' || topic.toLowerCase().includes(text) || below) found = true
        else rows.length = place
      }
      return found
    }
    walk('', 0)
    return rows
  }
}

/** The broker of this page's server. */
export const broker = new BrokerState()
