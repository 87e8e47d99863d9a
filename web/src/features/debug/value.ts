/**
 * Debug output as a tree: what a debug node sent, decoded from its text form, with children made on demand.
 *
 * The encoding is Node-RED's: text plus a `format`; what JSON lacks stands as `{"__enc__": true, "type": …}` (docs/http.md).
 */
import type { DebugData } from '../../api/types'

/** A decoded value. `length` is the full length where only the beginning was sent. */
export type DebugValue =
  | { kind: 'string'; text: string; length: number }
  | { kind: 'number' | 'bigint' | 'regexp' | 'text'; text: string }
  | { kind: 'bool'; value: boolean }
  | { kind: 'null' | 'undefined' | 'function' }
  | { kind: 'buffer'; bytes: number[]; length: number }
  | { kind: 'array' | 'set' | 'typedarray'; items: unknown[]; length: number; name: string }
  | { kind: 'object' | 'map'; entries: [string, unknown][]; name: string }
  | { kind: 'error'; name: string; message: string; stack: string; entries: [string, unknown][] }

/** A child of a value, or a range of children of a long list. */
export interface DebugChild {
  label: string
  /** The expression that leads here from the message, such as `payload.list[3]["a b"]`; empty for a range. */
  path: string
  value: DebugValue
  /** For a range of a long list: its children. */
  range?: DebugChild[]
}

interface Encoded {
  __enc__: true
  type: string
  data?: unknown
  length?: number
}

/** Lists longer than this show ranges of this many entries. */
const RANGE = 100

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEncoded(value: unknown): value is Encoded {
  return isRecord(value) && value['__enc__'] === true && typeof value['type'] === 'string'
}

/** JavaScript text for something that is text already, or ought to be. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
}

function fromEncoded(value: Encoded): DebugValue {
  const { type, data } = value
  const list = Array.isArray(data) ? (data as unknown[]) : []
  switch (type) {
    case 'undefined':
      return { kind: 'undefined' }
    case 'function':
      return { kind: 'function' }
    case 'number':
      return { kind: 'number', text: asText(data) }
    case 'bigint':
      return { kind: 'bigint', text: asText(data) }
    case 'regexp':
      return { kind: 'regexp', text: asText(data) }
    case 'error':
      return fromError(isRecord(data) ? data : { message: data })
    case 'map':
      return { kind: 'map', name: 'Map', entries: isRecord(data) ? Object.entries(data) : mapEntries(list) }
    case 'Buffer':
      return { kind: 'buffer', bytes: list.map(Number), length: value.length ?? list.length }
    case 'set':
      return { kind: 'set', name: 'Set', items: list, length: value.length ?? list.length }
    case 'array':
      return { kind: 'array', name: 'Array', items: list, length: value.length ?? list.length }
    default:
      if (Array.isArray(data))
        return { kind: 'typedarray', name: type, items: list, length: value.length ?? list.length }
      return { kind: 'object', name: type, entries: Object.entries(value).filter(([key]) => key !== '__enc__') }
  }
}

function mapEntries(list: unknown[]): [string, unknown][] {
  return list.map((pair) => (Array.isArray(pair) ? [asText(pair[0]), pair[1]] : [asText(pair), undefined]))
}

function fromError(data: Record<string, unknown>): DebugValue {
  const { name, message, stack, ...rest } = data
  return {
    kind: 'error',
    name: typeof name === 'string' ? name : 'Error',
    message: asText(message ?? ''),
    stack: typeof stack === 'string' ? stack : '',
    entries: Object.entries(rest),
  }
}

/** Reads one value out of parsed debug JSON. */
export function fromJson(value: unknown): DebugValue {
  if (value === undefined) return { kind: 'undefined' }
  if (value === null) return { kind: 'null' }
  if (typeof value === 'string') return { kind: 'string', text: value, length: value.length }
  if (typeof value === 'number') return { kind: 'number', text: Object.is(value, -0) ? '-0' : String(value) }
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (Array.isArray(value)) return { kind: 'array', name: 'Array', items: value as unknown[], length: value.length }
  if (isEncoded(value)) return fromEncoded(value)
  if (isRecord(value)) return { kind: 'object', name: 'Object', entries: Object.entries(value) }
  return { kind: 'text', text: asText(value) }
}

/** The number in a format such as `string[12]`. */
function formatLength(format: string): number | null {
  const found = /\[(\d+)\]$/.exec(format)
  return found ? Number(found[1]) : null
}

function fromHex(hex: string): number[] {
  const bytes: number[] = []
  for (const pair of hex.match(/[0-9a-f]{2}/gi) ?? []) bytes.push(parseInt(pair, 16))
  return bytes
}

/** Decodes what a debug node (or a warning, or an error) sent; text that can't be decoded is shown as it is. */
export function decode(data: Pick<DebugData, 'msg' | 'format'>): DebugValue {
  const text = data.msg ?? ''
  const format = data.format ?? ''
  const base = format.replace(/\[\d+\]$/, '')
  switch (base) {
    case 'string':
      return { kind: 'string', text, length: formatLength(format) ?? text.length }
    case 'number':
      return { kind: 'number', text }
    case 'bigint':
      return { kind: 'bigint', text }
    case 'boolean':
      return { kind: 'bool', value: text === 'true' }
    case 'null':
      return { kind: 'null' }
    case 'undefined':
      return { kind: 'undefined' }
    case 'function':
      return { kind: 'function' }
    case 'regexp':
      return { kind: 'regexp', text: text.startsWith('{') ? regexpText(text) : text }
    case 'buffer': {
      const bytes = fromHex(text)
      return { kind: 'buffer', bytes, length: formatLength(format) ?? bytes.length }
    }
    case '':
      return { kind: 'string', text, length: text.length }
    default:
      return structured(text, format, base)
  }
}

function regexpText(text: string): string {
  const value = parse(text)
  return isEncoded(value) ? asText(value.data) : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function structured(text: string, format: string, base: string): DebugValue {
  const parsed = parse(text)
  if (parsed === undefined) return base === 'error' ? fromError({ message: text }) : { kind: 'text', text }
  const value = fromJson(parsed)
  if (base === 'error' && value.kind !== 'error') return fromError(isRecord(parsed) ? parsed : { message: parsed })
  if (base === 'set' && value.kind === 'array') return { ...value, kind: 'set', name: 'Set' }
  if (base === 'map' && value.kind === 'object') return { ...value, kind: 'map', name: 'Map' }
  if (value.kind === 'array') return { ...value, length: Math.max(value.length, formatLength(format) ?? 0) }
  if (value.kind === 'object' && value.name === 'Object' && base !== 'Object') return { ...value, name: base }
  return value
}

/** The path of a property below another: `a`, then `a.b`, `a["b c"]` or `a[0]`. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return path ? `${path}.${key}` : key
  return `${path}[${JSON.stringify(key)}]`
}

/** Whether a value can be opened. */
export function hasChildren(value: DebugValue): boolean {
  switch (value.kind) {
    case 'array':
    case 'set':
    case 'typedarray':
      return value.items.length > 0
    case 'object':
    case 'map':
      return value.entries.length > 0
    case 'error':
      return value.stack !== '' || value.entries.length > 0
    case 'buffer':
      return value.bytes.length > 0
    case 'string':
      return value.text.includes('\n') || value.text.length > 120
    default:
      return false
  }
}

/** The children of a value; strings and buffers have none, they open as text. */
export function children(value: DebugValue, path: string): DebugChild[] {
  switch (value.kind) {
    case 'array':
    case 'set':
    case 'typedarray':
      return ranges(
        value.items.map((item, index) => ({
          label: String(index),
          path: joinPath(path, index),
          value: fromJson(item),
        })),
      )
    case 'object':
    case 'map':
      return ranges(
        value.entries.map(([key, item]) => ({ label: key, path: joinPath(path, key), value: fromJson(item) })),
      )
    case 'error': {
      const stack: [string, unknown][] = value.stack ? [['stack', value.stack]] : []
      return [...stack, ...value.entries].map(([key, item]) => ({
        label: key,
        path: joinPath(path, key),
        value: fromJson(item),
      }))
    }
    default:
      return []
  }
}

function ranges(all: DebugChild[]): DebugChild[] {
  if (all.length <= RANGE) return all
  const groups: DebugChild[] = []
  for (let from = 0; from < all.length; from += RANGE) {
    const range = all.slice(from, from + RANGE)
    groups.push({ label: `${from} … ${from + range.length - 1}`, path: '', value: { kind: 'text', text: '' }, range })
  }
  return groups
}

/** How many bytes stand in a row: as many as a narrow panel has room for. */
const ROW = 8

/** Bytes as rows of 8 in hexadecimal with the characters beside them. */
export function hexRows(bytes: readonly number[]): { offset: string; hex: string; text: string }[] {
  const rows = []
  for (let from = 0; from < bytes.length; from += ROW) {
    const part = bytes.slice(from, from + ROW)
    rows.push({
      offset: from.toString(16).padStart(4, '0'),
      hex: part.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
      text: part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
    })
  }
  return rows
}

/** A value on one line, at most about `room` characters long. */
export function preview(value: DebugValue, room = 90): string {
  switch (value.kind) {
    case 'string':
      return cut(JSON.stringify(value.text), room)
    case 'number':
    case 'regexp':
    case 'text':
      return cut(value.text, room)
    case 'bigint':
      return `${value.text}n`
    case 'bool':
      return String(value.value)
    case 'null':
    case 'undefined':
      return value.kind
    case 'function':
      return 'ƒ ()'
    case 'buffer':
      return cut(
        `<${value.bytes
          .slice(0, 24)
          .map((byte) => byte.toString(16).padStart(2, '0'))
          .join(' ')}>`,
        room,
      )
    case 'error':
      return cut(value.message ? `${value.name}: ${value.message}` : value.name, room)
    case 'array':
    case 'set':
    case 'typedarray':
      return listPreview(
        value.items.map((item) => () => preview(fromJson(item), 24)),
        value.length,
        '[',
        ']',
        room,
      )
    case 'object':
    case 'map':
      return listPreview(
        value.entries.map(
          ([key, item]) =>
            () =>
              `${key}: ${preview(fromJson(item), 24)}`,
        ),
        value.entries.length,
        '{',
        '}',
        room,
      )
  }
}

function listPreview(parts: (() => string)[], length: number, open: string, close: string, room: number): string {
  if (length === 0) return open + close
  const shown: string[] = []
  let used = 0
  for (const part of parts) {
    const text = part()
    if (shown.length > 0 && used + text.length > room) break
    shown.push(text)
    used += text.length + 2
  }
  const rest = shown.length < length ? ', …' : ''
  return open === '{' ? `{ ${shown.join(', ')}${rest} }` : `[${shown.join(', ')}${rest}]`
}

function cut(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, Math.max(room - 1, 1))}…` : text
}

/** A short name of the type with its size: `array[3]`, `string[120]`, `buffer[4]`, `Object`. */
export function typeName(value: DebugValue): string {
  switch (value.kind) {
    case 'string':
      return `string[${value.length}]`
    case 'buffer':
      return `buffer[${value.length}]`
    case 'array':
    case 'set':
      return `${value.kind}[${value.length}]`
    case 'typedarray':
      return `${value.name}[${value.length}]`
    case 'object':
    case 'map':
    case 'error':
      return value.name
    case 'bool':
      return 'boolean'
    default:
      return value.kind
  }
}

/** The value as plain data, as far as JSON goes. */
function toPlain(value: DebugValue): unknown {
  switch (value.kind) {
    case 'string':
    case 'text':
    case 'regexp':
    case 'bigint':
      return value.text
    case 'number':
      return Number.isFinite(Number(value.text)) ? Number(value.text) : value.text
    case 'bool':
      return value.value
    case 'buffer':
      return value.bytes
    case 'array':
    case 'set':
    case 'typedarray':
      return value.items.map((item) => toPlain(fromJson(item)))
    case 'object':
    case 'map':
      return Object.fromEntries(value.entries.map(([key, item]) => [key, toPlain(fromJson(item))]))
    case 'error':
      return { name: value.name, message: value.message, ...(value.stack ? { stack: value.stack } : {}) }
    case 'null':
      return null
    default:
      return undefined
  }
}

/** The value as text for the clipboard: strings as they are, lists and objects as JSON. */
export function copyText(value: DebugValue): string {
  if (value.kind === 'string' || value.kind === 'text') return value.text
  if (value.kind === 'buffer') return value.bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const plain = toPlain(value)
  if (plain === undefined) return 'undefined'
  return typeof plain === 'string' ? plain : JSON.stringify(plain, null, 2)
}
