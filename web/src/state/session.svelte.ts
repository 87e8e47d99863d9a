/** The page's session with the server: what is loaded at the start, and the live socket afterwards. */
import { getCatalog, getFlows, getSettings, inject, setDebug } from '../api/http'
import { CommsSocket, type ConnectionState } from '../api/socket'
import type { DebugData, Frame, Problem, ServerSettings } from '../api/types'
import { language, t } from '../i18n/t.svelte'
import { toast } from '../ui/toast.svelte'
import { debug } from './debug.svelte'
import { deploy } from './deploy.svelte'
import { draft } from './draft.svelte'
import { editor } from './editor.svelte'
import { live } from './live.svelte'

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class Session {
  /** Whether the page has what it needs, or why it hasn't. */
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  failure = $state('')
  connection = $state.raw<ConnectionState>({ kind: 'closed' })
  server = $state.raw<ServerSettings | null>(null)
  #socket: CommsSocket | null = null
  #wasOpen = false

  /** Loads everything and connects. */
  async start(): Promise<void> {
    this.phase = 'loading'
    try {
      const [server, catalog, { flows, rev }] = await Promise.all([getSettings(), getCatalog(language()), getFlows()])
      this.server = server
      editor.catalog = new Map(catalog.types.map((type) => [type.type, type]))
      editor.load(flows, rev)
      this.phase = 'ready'
      draft.look()
      void deploy.refreshProblems()
      this.connect()
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error)
      this.phase = 'failed'
    }
  }

  /** Fetches the catalogue anew, in the language of the page. */
  async reloadCatalog(): Promise<void> {
    try {
      const catalog = await getCatalog(language())
      editor.catalog = new Map(catalog.types.map((type) => [type.type, type]))
    } catch (error) {
      toast.show({
        level: 'warning',
        text: t('session.noCatalog'),
        detail: error instanceof Error ? error.message : String(error),
      })
    }
  }

  /** Connects now, also while a retry is waiting. */
  connect(): void {
    this.#socket ??= new CommsSocket({
      onFrames: (frames) => this.take(frames),
      onState: (state) => this.#changed(state),
    })
    this.#socket.open()
  }

  /** Disconnects. */
  stop(): void {
    this.#socket?.close()
  }

  /** Presses the button of an inject node. */
  async inject(id: string): Promise<void> {
    if (!editor.deployedItem(id)) {
      toast.show({ level: 'warning', text: t('session.deployFirst'), key: 'inject' })
      return
    }
    try {
      await inject(id)
      const item = editor.get(id)
      toast.show({ level: 'success', text: t('session.injected', { name: item ? nameOf(id) : id }), key: 'inject' })
    } catch (error) {
      toast.show({
        level: 'error',
        text: t('session.injectFailed'),
        detail: error instanceof Error ? error.message : String(error),
        key: 'inject',
      })
    }
  }

  /** Turns a debug node on or off: at once where it runs, and in the flows. */
  async toggle(id: string, property: string): Promise<void> {
    const item = editor.get(id)
    if (!item) return
    const on = !(item[property] !== false && item[property] !== 'false')
    editor.change(on ? t('undo.turnOn') : t('undo.turnOff'), (change) => {
      change.update(id, { [property]: on })
    })
    if (!editor.deployedItem(id)) return
    try {
      await setDebug(id, on)
    } catch (error) {
      toast.show({
        level: 'warning',
        text: t('session.toggleFailed'),
        detail: error instanceof Error ? error.message : String(error),
        key: 'toggle',
      })
    }
  }

  /** Takes what came over the socket. */
  take(frames: readonly Frame[]): void {
    const lines: DebugData[] = []
    for (const { topic, data } of frames) {
      if (topic === 'debug' && isRecord(data)) {
        const line = data as DebugData
        lines.push(line)
        if (line.level !== undefined && line.level <= 20 && line.id) live.addError(line.id)
      } else if (topic.startsWith('status/')) {
        live.setStatus(topic.slice('status/'.length), isRecord(data) ? data : {})
      } else if (topic === 'notification/runtime-deploy' && isRecord(data) && typeof data['revision'] === 'string') {
        deploy.noticed(data['revision'])
      } else if (topic === 'notification/problems' && isRecord(data) && Array.isArray(data['problems'])) {
        deploy.problems = data['problems'] as Problem[]
      }
    }
    debug.add(lines)
  }

  #changed(state: ConnectionState): void {
    this.connection = state
    if (state.kind === 'waiting') live.clear()
    if (state.kind !== 'open') return
    if (this.#wasOpen) void this.#catchUp()
    this.#wasOpen = true
  }

  /** After a lost connection: the server may run something else by now. */
  async #catchUp(): Promise<void> {
    try {
      const { rev } = await getFlows()
      deploy.noticed(rev)
      void deploy.refreshProblems()
    } catch {
      // The socket will say again when it is back.
      return
    }
  }
}

function nameOf(id: string): string {
  return editor.graph.nodes.get(id)?.label ?? id
}

/** The session of the page. */
export const session = new Session()
