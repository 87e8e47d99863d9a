/** The built-in broker as the server tells of it. See docs/http.md for the contract. */
import { sendTo } from './http'

/** The last message of a topic. */
export interface TopicValue {
  /** Its first 256 bytes, as text. */
  payload: string
  /** Bytes of the whole payload. */
  size: number
  qos: 0 | 1 | 2
  /** A message is kept there. */
  retained: boolean
  count: number
}

/** One level below a branch of the topic tree. */
export interface TopicChild {
  name: string
  /** Topics there and below. */
  topics: number
  /** Messages a second. */
  rate: number
  /** When the last one came, in milliseconds since 1970. */
  time: number
  value?: TopicValue
}

/** A client, or a session that waits for its client. */
export interface BrokerClient {
  id: string
  user: string | null
  address: string | null
  version: string | null
  /** It is a part of the server itself. */
  flows: boolean
  connected: boolean
  since: number | null
  keepAlive: number | null
  subscriptions: string[]
  received: number
  sent: number
  receivedRate: number
  sentRate: number
  waiting: number
  unacknowledged: number
  dropped: number
}

/** Counts of the broker. */
export interface BrokerStats {
  clients: number
  sessions: number
  subscriptions: number
  retained: number
  received: number
  delivered: number
  dropped: number
}

/** What has changed. */
export interface BrokerFrame {
  branches?: Record<string, { children: TopicChild[]; gone?: string[]; more: number }>
  clients?: { changed: BrokerClient[]; gone: string[]; more: number }
  stats?: BrokerStats
  error?: string
}

/** What somebody looks at. */
export interface BrokerView {
  branches: string[]
  clients: boolean
}

/** A message to publish. */
export interface NewMessage {
  topic: string
  payload: string
  qos: 0 | 1 | 2
  retain: boolean
}

/** Publishes a message. */
export async function publishMessage(message: NewMessage): Promise<void> {
  await sendTo('flowrill/broker/publish', { method: 'POST', body: message })
}

/** Clears what is retained under a topic. */
export async function clearRetained(topic: string): Promise<void> {
  await sendTo(`flowrill/broker/retained?topic=${encodeURIComponent(topic)}`, { method: 'DELETE' })
}

/** Cuts a client off. */
export async function cutOff(client: string): Promise<void> {
  await sendTo(`flowrill/broker/clients/${encodeURIComponent(client)}`, { method: 'DELETE' })
}

const RETRY = 2_000

function read(text: string): BrokerFrame {
  try {
    const frame: unknown = JSON.parse(text)
    return typeof frame === 'object' && frame !== null ? frame : {}
  } catch {
    return {}
  }
}

/** A connection that hears what changes in the broker, until it is closed; a lost one comes back. */
export class BrokerSocket {
  readonly #onframe: (frame: BrokerFrame) => void
  readonly #onopen: () => void
  #view: BrokerView = { branches: [], clients: false }
  #socket: WebSocket | null = null
  #timer: number | null = null

  /** `onopen` is called at each connection: what was heard before does not count any more. */
  constructor(onframe: (frame: BrokerFrame) => void, onopen: () => void) {
    this.#onframe = onframe
    this.#onopen = onopen
    this.#connect()
  }

  /** Says what is looked at from now on. */
  look(view: BrokerView): void {
    this.#view = view
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(view))
  }

  /** Hears no more. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const socket = this.#socket
    this.#socket = null
    socket?.close()
  }

  #connect(): void {
    const url = new URL('flowrill/broker/live', document.baseURI)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    this.#socket = socket
    socket.onopen = () => {
      this.#onopen()
      this.look(this.#view)
    }
    socket.onmessage = (event: MessageEvent) => {
      if (typeof event.data === 'string') this.#onframe(read(event.data))
    }
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#timer = window.setTimeout(() => {
        this.#connect()
      }, RETRY)
    }
  }
}
