/**
 * The `/comms` socket: debug messages, node status and notifications, with reconnect.
 *
 * Frames are handed on in batches, once per animation frame, so that a flood of messages costs one update.
 */
import type { Frame } from './types'

/** `waiting`: the connection was lost and is tried again at `retryAt`. */
export type ConnectionState =
  { kind: 'closed' } | { kind: 'connecting' } | { kind: 'open' } | { kind: 'waiting'; retryAt: number; attempt: number }

/** Who wants to know. */
export interface CommsListener {
  onFrames(frames: Frame[]): void
  onState(state: ConnectionState): void
}

/** What the socket needs of its surroundings; tests hand in their own. */
export interface CommsEnvironment {
  connect(url: string): WebSocket
  now(): number
  random(): number
  setTimer(run: () => void, ms: number): number
  clearTimer(timer: number): void
  /** Calls back once the browser is about to draw (or soon, when the page is hidden). */
  nextFrame(run: () => void): void
  url(): string
}

const FIRST_DELAY = 500
const LONGEST_DELAY = 15_000
/** The server speaks at least every 15 s; after three silent periods the connection counts as dead. */
const SILENCE_LIMIT = 45_000
/** Frames kept for the next batch; a hidden page must not grow without bound. */
const MOST_PENDING = 5_000

/** How long to wait before attempt number `attempt` (1 is the first retry): doubling, with jitter so that editors spread. */
export function retryDelay(attempt: number, random: number): number {
  const full = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(attempt - 1, 10))
  return Math.round(full / 2 + (full / 2) * random)
}

/** Turns the text of a socket message into frames; what is not a frame is left out. */
export function parseFrames(text: string): Frame[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return []
  }
  const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  return list.filter(
    (frame): frame is Frame =>
      typeof frame === 'object' && frame !== null && 'topic' in frame && typeof frame.topic === 'string',
  )
}

/** A page that is hidden gets no animation frames, so a timer stands in. */
function nextFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}

const browser: CommsEnvironment = {
  connect: (url) => new WebSocket(url),
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer: (run, ms) => window.setTimeout(run, ms),
  clearTimer: (timer) => {
    window.clearTimeout(timer)
  },
  nextFrame,
  url: () => {
    const url = new URL('comms', document.baseURI)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    return url.toString()
  },
}

/** A connection to `/comms` that comes back by itself until it is closed. */
export class CommsSocket {
  readonly #listener: CommsListener
  readonly #env: CommsEnvironment
  #socket: WebSocket | null = null
  #attempt = 0
  #retryTimer: number | null = null
  #silenceTimer: number | null = null
  #pending: Frame[] = []
  #flushing = false

  constructor(listener: CommsListener, env: CommsEnvironment = browser) {
    this.#listener = listener
    this.#env = env
  }

  /** Connects; when a retry is pending it happens now. */
  open(): void {
    if (this.#socket) return
    this.#clearRetry()
    this.#listener.onState({ kind: 'connecting' })
    const socket = this.#env.connect(this.#env.url())
    this.#socket = socket
    socket.onopen = () => {
      socket.send(JSON.stringify({ subscribe: 'debug' }))
      this.#attempt = 0
      this.#watchSilence(socket)
      this.#listener.onState({ kind: 'open' })
    }
    socket.onmessage = (event: MessageEvent) => {
      this.#watchSilence(socket)
      if (typeof event.data === 'string') this.#take(parseFrames(event.data))
    }
    socket.onclose = () => {
      this.#lost(socket)
    }
  }

  /** Disconnects and stays so. */
  close(): void {
    this.#clearRetry()
    const socket = this.#socket
    this.#drop()
    socket?.close()
    this.#listener.onState({ kind: 'closed' })
  }

  #take(frames: Frame[]): void {
    this.#pending.push(...frames)
    if (this.#pending.length > MOST_PENDING) this.#pending.splice(0, this.#pending.length - MOST_PENDING)
    if (this.#flushing || this.#pending.length === 0) return
    this.#flushing = true
    this.#env.nextFrame(() => {
      this.#flushing = false
      const batch = this.#pending
      this.#pending = []
      this.#listener.onFrames(batch)
    })
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return
    this.#drop()
    this.#attempt += 1
    const delay = retryDelay(this.#attempt, this.#env.random())
    this.#retryTimer = this.#env.setTimer(() => {
      this.#retryTimer = null
      this.open()
    }, delay)
    this.#listener.onState({ kind: 'waiting', retryAt: this.#env.now() + delay, attempt: this.#attempt })
  }

  #drop(): void {
    if (this.#silenceTimer !== null) this.#env.clearTimer(this.#silenceTimer)
    this.#silenceTimer = null
    this.#socket = null
  }

  #clearRetry(): void {
    if (this.#retryTimer !== null) this.#env.clearTimer(this.#retryTimer)
    this.#retryTimer = null
  }

  /** A cable that was pulled closes nothing: without a sign of life the connection is given up and tried anew. */
  #watchSilence(socket: WebSocket): void {
    if (this.#silenceTimer !== null) this.#env.clearTimer(this.#silenceTimer)
    this.#silenceTimer = this.#env.setTimer(() => {
      socket.close()
      this.#lost(socket)
    }, SILENCE_LIMIT)
  }
}
