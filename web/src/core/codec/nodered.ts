/**
 * Flow files as text: Node-RED's JSON, read leniently and written as it is written there.
 *
 * Accepted are an array of records, one record alone, and `{"flows": [...]}` as the admin API sends it. Records come
 * through with all their properties in their order.
 */
import type { FlowItem, Json } from '../../api/types'
import { newId } from '../model/item'

/** Why a text is no flow; `line` and `column` (from 1) are given where the text itself is broken. */
export interface ParseError {
  code: 'empty' | 'syntax' | 'not_flows'
  line?: number
  column?: number
}

/** What reading a text gave. `skipped` counts entries that are no records. */
export type ParseResult = { ok: true; items: FlowItem[]; skipped: number } | { ok: false; error: ParseError }

function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A record needs a type; without an id it gets one, as flows that people wrote by hand do. */
function toItem(value: unknown): FlowItem | null {
  if (!isObject(value) || typeof value['type'] !== 'string' || value['type'] === '') return null
  if (typeof value['id'] === 'string' && value['id'] !== '') return value as FlowItem
  return { ...value, id: typeof value['id'] === 'number' ? String(value['id']) : newId(), type: value['type'] }
}

/** Reads flow JSON. */
export function parse(text: string): ParseResult {
  // Text copied from a page may carry a byte order mark or a Markdown fence around the JSON.
  const body = text.replace(/^\uFEFF/, '').replace(/^\s*```\w*\n([\s\S]*?)```\s*$/, '$1')
  if (body.trim() === '') return { ok: false, error: { code: 'empty' } }
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    return { ok: false, error: { code: 'syntax', ...whereIn(body, error) } }
  }
  const list = Array.isArray(value)
    ? value
    : isObject(value) && Array.isArray(value['flows'])
      ? value['flows']
      : [value]
  const items = list.flatMap((entry: unknown) => toItem(entry) ?? [])
  if (items.length === 0 && list.length > 0) return { ok: false, error: { code: 'not_flows' } }
  return { ok: true, items, skipped: list.length - items.length }
}

/** Line and column of a JSON error; browsers tell either those or the position, or nothing. */
function whereIn(text: string, error: unknown): { line?: number; column?: number } {
  const message = error instanceof Error ? error.message : ''
  const direct = /line (\d+) column (\d+)/.exec(message)
  if (direct) return { line: Number(direct[1]), column: Number(direct[2]) }
  const position = /position (\d+)/.exec(message)
  const offset = position ? Number(position[1]) : /end of|unterminated/i.test(message) ? text.length : null
  if (offset === null) return {}
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** Writes flow JSON: on one line, or with four spaces of indent as Node-RED's flow files have. */
export function serialise(items: readonly FlowItem[], options: { formatted?: boolean } = {}): string {
  return JSON.stringify(items, null, options.formatted === false ? 0 : 4)
}

/** The same ids in the open flows and in what comes in. */
export type ConflictChoice = 'copy' | 'replace' | 'skip'

/** How to give the records of a copy new ids. */
export interface CopyOptions {
  /** Ids that stand for something outside, and keep standing for it (a broker that isn't copied). */
  keep?: (id: string) => boolean
  /** Makes the new ids; tests hand in their own. */
  makeId?: () => string
}

/**
 * Copies of records with new ids. Every place in which one of the old ids stands is rewritten: wires, the tab, the
 * group, links, scopes, references to config nodes and the type of subflow instances.
 */
export function withNewIds(items: readonly FlowItem[], options: CopyOptions = {}): FlowItem[] {
  const makeId = options.makeId ?? newId
  const renamed = new Map<string, string>()
  for (const item of items) if (!options.keep?.(item.id)) renamed.set(item.id, makeId())
  return items.map((item) => renameIds(item, renamed))
}

/** Properties that hold a person's own text; a text there that happens to look like an id stays. */
const OWN_TEXT = new Set(['name', 'label', 'info', 'func', 'template', 'initialize', 'finalize', 'topic', 'payload'])

/** A record in which these ids stand under their new names. */
export function renameIds(item: FlowItem, renamed: ReadonlyMap<string, string>): FlowItem {
  const rename = (value: Json): Json => {
    if (typeof value === 'string') return renamed.get(value) ?? value
    if (Array.isArray(value)) return value.map(rename)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rename(inner)]))
  }
  const entries = Object.entries(item).map(([key, value]): [string, Json | undefined] => {
    if (value === undefined || OWN_TEXT.has(key)) return [key, value]
    if (key === 'type') return [key, renamedType(item.type, renamed)]
    return [key, rename(value)]
  })
  return Object.fromEntries(entries) as FlowItem
}

function renamedType(type: string, renamed: ReadonlyMap<string, string>): string {
  const template = /^subflow:(.+)$/.exec(type)?.[1]
  return template === undefined ? type : `subflow:${renamed.get(template) ?? template}`
}
