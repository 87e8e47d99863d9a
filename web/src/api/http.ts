/**
 * Calls to the server, one function each. See docs/http.md for the contract.
 *
 * Every call answers with data or throws an {@link ApiError} whose message can be shown to a person.
 */
import type {
  Catalog,
  CredentialsState,
  DeployMode,
  FlowItem,
  FlowsAnswer,
  Health,
  Json,
  Problem,
  ServerSettings,
  TopicSeen,
  Version,
} from './types'

/** The server said no, or could not be reached (`status` 0, `code` "unreachable"). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** With a refused deploy: what is wrong with which node. */
  readonly problems: Problem[]

  constructor(status: number, code: string, message: string, problems: Problem[] = []) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.problems = problems
  }
}

/** A request. */
export interface Request {
  method?: 'GET' | 'POST' | 'DELETE'
  headers?: Record<string, string>
  body?: unknown
}

interface ErrorBody {
  code?: unknown
  message?: unknown
  problems?: Problem[]
}

/** The address of a path of the server: the editor may be served below a prefix, so paths are relative to the page. */
function address(path: string): string {
  return new URL(path, document.baseURI).toString()
}

async function toError(response: Response): Promise<ApiError> {
  let body: ErrorBody = {}
  try {
    const parsed: unknown = await response.json()
    if (typeof parsed === 'object' && parsed !== null) body = parsed
  } catch {
    // A proxy in between may answer with something else than JSON; the status says enough.
  }
  const code = typeof body.code === 'string' ? body.code : `http_${response.status}`
  const message =
    typeof body.message === 'string'
      ? body.message
      : `The server answered ${response.status} ${response.statusText}`.trim()
  return new ApiError(response.status, code, message, Array.isArray(body.problems) ? body.problems : [])
}

async function request(path: string, { method = 'GET', headers = {}, body }: Request = {}): Promise<Response> {
  const init: RequestInit = { method, headers: { ...headers }, cache: 'no-store' }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { ...headers, 'Content-Type': 'application/json' }
  }
  let response: Response
  try {
    response = await fetch(address(path), init)
  } catch {
    throw new ApiError(0, 'unreachable', 'The server can’t be reached. Is Flowrill still running?')
  }
  if (!response.ok) throw await toError(response)
  return response
}

/** Sends a request whose answer says nothing but that it was done. */
export async function sendTo(path: string, what: Request): Promise<void> {
  await request(path, what)
}

async function getJson<T>(path: string, headers?: Record<string, string>): Promise<T> {
  const response = await request(path, headers ? { headers } : {})
  return (await response.json()) as T
}

const V2 = { 'Node-RED-API-Version': 'v2' }

/** The running flows with their version. */
export function getFlows(): Promise<FlowsAnswer> {
  return getJson<FlowsAnswer>('flows', V2)
}

/**
 * Makes these flows the running ones.
 *
 * `rev` is the version they were made from: when another one runs by now the server answers 409 `version_mismatch`.
 * Without it the running version is replaced whatever it is.
 */
export async function deploy(
  flows: FlowItem[],
  options: { rev?: string; mode?: DeployMode } = {},
): Promise<{ rev: string }> {
  const body = options.rev === undefined ? { flows } : { flows, rev: options.rev }
  const headers = { ...V2, 'Node-RED-Deployment-Type': options.mode ?? 'nodes' }
  const response = await request('flows', { method: 'POST', headers, body })
  return (await response.json()) as { rev: string }
}

/** All node types with texts in `lang`, or in the server's language. */
export function getCatalog(lang?: string): Promise<Catalog> {
  return getJson<Catalog>(lang ? `flowrill/catalog?lang=${encodeURIComponent(lang)}` : 'flowrill/catalog')
}

/** What the server tells about itself. */
export function getSettings(): Promise<ServerSettings> {
  return getJson<ServerSettings>('settings')
}

/** Presses the button of an inject node; `props` replaces its properties for this one message. */
export async function inject(id: string, props?: Json[]): Promise<void> {
  await request(`inject/${encodeURIComponent(id)}`, {
    method: 'POST',
    body: props ? { __user_inject_props__: props } : {},
  })
}

/** Turns the output of a debug node on or off, at once and without a deploy. */
export async function setDebug(id: string, on: boolean): Promise<void> {
  await request(`debug/${encodeURIComponent(id)}/${on ? 'enable' : 'disable'}`, { method: 'POST' })
}

/** What is wrong with the running flows. */
export async function getProblems(): Promise<Problem[]> {
  return (await getJson<{ problems: Problem[] }>('flowrill/problems')).problems
}

/** The deployed versions, newest first. */
export async function getHistory(): Promise<Version[]> {
  return (await getJson<{ versions: Version[] }>('flowrill/history')).versions
}

/** The flows of one deployed version. */
export function getVersion(rev: string): Promise<FlowsAnswer & { time: number }> {
  return getJson<FlowsAnswer & { time: number }>(`flowrill/history/${encodeURIComponent(rev)}`)
}

/** The topics that the built-in broker saw lately. */
export async function getTopics(): Promise<TopicSeen[]> {
  return (await getJson<{ topics: TopicSeen[] }>('flowrill/topics')).topics
}

/** Which credentials of a node are set; secrets never come back. */
export function getCredentials(type: string, id: string): Promise<CredentialsState> {
  return getJson<CredentialsState>(`credentials/${encodeURIComponent(type)}/${encodeURIComponent(id)}`)
}

/** The state of the server. */
export function getHealth(): Promise<Health> {
  return getJson<Health>('health')
}
