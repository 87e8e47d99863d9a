/** Values of a node's properties: what is shown when one is missing, when a property counts, what is wrong with one. */
import type { Json, Property, When } from '../api/types'

/** A record of a flow file, or an entry of a list in it. */
export type Values = Record<string, Json | undefined>

/** Why a value can't stay as it is; the form has a sentence for each. */
export type Fault =
  | { code: 'required' }
  | { code: 'number' }
  | { code: 'min'; limit: number }
  | { code: 'max'; limit: number }
  | { code: 'json'; detail: string }
  | { code: 'topic' }

/** A value as text, the way conditions compare it. */
export function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A bool may stand in a flow file as text, which each property takes in its own way. */
export function asBool(value: Json | undefined, texts?: Property['texts']): boolean {
  if (typeof value !== 'string' || texts === undefined) return value === true || value === 'true'
  return texts === 'any' ? value !== '' : texts === 'said' && value !== '' && value !== 'false'
}

/** The value that counts: the one in the record, or the default that the runtime takes. */
export function valueOf(property: Property, values: Values): Json | undefined {
  const value = values[property.name]
  return value === undefined ? property.default : value
}

/** Whether a condition holds. A property it names that is missing counts with its default. */
export function holds(when: When | undefined, values: Values, siblings: readonly Property[]): boolean {
  if (!when) return true
  return Object.entries(when).every(([name, wanted]) => {
    const now = asText(valueOrDefault(name, values, siblings))
    return Array.isArray(wanted) ? wanted.includes(now) : wanted === now
  })
}

function valueOrDefault(name: string, values: Values, siblings: readonly Property[]): Json | undefined {
  if (values[name] !== undefined) return values[name]
  for (const property of siblings) {
    if (property.name === name) return property.default
    if (property.typeProperty === name) return property.typeDefault
  }
  return undefined
}

/** The type of a typed value: the one in the record, or the default. */
export function typeOf(property: Property, values: Values): string {
  const stored = property.typeProperty === undefined ? undefined : values[property.typeProperty]
  return asText(stored) || property.typeDefault || property.types?.[0] || 'str'
}

/** Types that need no text beside them. */
export const BARE_TYPES: readonly string[] = ['prev', 'pay', 'payl', 'full', 'elem', 'seq', 'nul', 'auto', 'counter']

/** What is wrong with the value of a property, or null. */
export function faultOf(property: Property, values: Values): Fault | null {
  const value = valueOf(property, values)
  const text = asText(value)
  if (property.kind === 'list')
    return property.required && (!Array.isArray(value) || value.length === 0) ? { code: 'required' } : null
  if (property.kind === 'typed') return typedFault(property, text, typeOf(property, values))
  if (text.trim() === '') return property.required ? { code: 'required' } : null
  if (/^\$[{(][^\s]+[)}]$/.test(text)) return null
  switch (property.kind) {
    case 'number':
    case 'duration':
      return numberFault(property, text)
    case 'topic':
      return isTopic(text) ? null : { code: 'topic' }
    case 'code':
      return property.language === 'json' ? jsonFault(text) : null
    default:
      return null
  }
}

function numberFault(property: Property, text: string): Fault | null {
  const number = Number(text)
  if (!Number.isFinite(number)) return { code: 'number' }
  if (property.min !== undefined && number < property.min) return { code: 'min', limit: property.min }
  if (property.max !== undefined && number > property.max) return { code: 'max', limit: property.max }
  return null
}

function typedFault(property: Property, text: string, type: string): Fault | null {
  if (text.trim() === '') {
    return property.required && !BARE_TYPES.includes(type) && !['str', 'bool', 'date'].includes(type)
      ? { code: 'required' }
      : null
  }
  if (type === 'num') return Number.isFinite(Number(text)) ? null : { code: 'number' }
  if (type === 'json') return jsonFault(text)
  return null
}

/** What is wrong with a JSON text, or null. */
export function jsonFault(text: string): Fault | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return { code: 'json', detail: error instanceof Error ? error.message : String(error) }
  }
}

/** Whether a topic, or a filter with wildcards, is well formed. */
export function isTopic(text: string): boolean {
  const levels = text.split('/')
  return levels.every(
    (level, index) => level === '+' || (level === '#' && index === levels.length - 1) || !/[+#]/.test(level),
  )
}

/** A new entry of a list: each field that counts then, with its first value. */
export function freshEntry(fields: readonly Property[] | undefined): Json {
  if (!fields) return ''
  const entry: Record<string, Json> = {}
  for (const field of fields) {
    if (!holds(field.when, entry, fields)) continue
    const value = field.fresh ?? field.default ?? null
    if (value !== null) entry[field.name] = structuredClone(value)
    const type = field.typeFresh ?? field.typeDefault ?? null
    if (field.typeProperty !== undefined && type !== null) entry[field.typeProperty] = type
  }
  return entry
}

/**
 * An entry of a list after a change: a field that comes into view has a type, or an option, that it offers. So a value to
 * compare with becomes a number when the rule is changed to one that counts.
 */
export function settled(fields: readonly Property[], before: Values, after: Values): Values {
  const entry = { ...after }
  for (const field of fields) {
    if (holds(field.when, before, fields) || !holds(field.when, after, fields)) continue
    if (field.kind === 'select' && !field.options?.some((option) => asText(option) === asText(entry[field.name]))) {
      entry[field.name] = field.fresh ?? field.options?.[0]
    }
    const offered = field.kind === 'select' ? [asText(entry[field.name])] : (field.types ?? [])
    const key = field.typeProperty
    if (key !== undefined && !offered.includes(asText(entry[key]))) entry[key] = field.typeFresh ?? offered[0]
  }
  return entry
}

/** A list with one entry moved to another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const copy = [...list]
  const [entry] = copy.splice(from, 1)
  if (entry !== undefined) copy.splice(to, 0, entry)
  return copy
}
