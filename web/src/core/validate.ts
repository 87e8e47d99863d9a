/** What is wrong with a record, as far as its manifest tells. The server finds more when it deploys. */
import type { FlowItem, Json, NodeType, Property, When } from '../api/types'
import { isMissing } from './catalog'
import type { Records } from './store'

/** Something wrong with one property of a record (or with its type: then `property` is empty). */
export interface ItemProblem {
  code: 'missing_type' | 'required' | 'config_missing' | 'not_a_number' | 'too_small' | 'too_large'
  property: string
  /** The bound, for a number that is out of it. */
  limit?: number
}

const asText = (value: Json | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** Whether a property counts: every property that its `when` names has one of the values it names. */
export function applies(when: When | undefined, item: FlowItem, properties: readonly Property[]): boolean {
  return Object.entries(when ?? {}).every(([name, wanted]) => {
    const value = asText(valueOf(item, name, properties))
    return Array.isArray(wanted) ? wanted.includes(value) : wanted === value
  })
}

/** A property's value, or what the runtime takes in its place. */
export function valueOf(item: FlowItem, name: string, properties: readonly Property[]): Json | undefined {
  const own = item[name]
  if (own !== undefined) return own
  const typed = properties.find(({ typeProperty }) => typeProperty === name)
  return typed ? typed.typeDefault : properties.find((property) => property.name === name)?.default
}

const isEmptyValue = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '')

/** A number that stands as text may be filled in at deploy time: `${PORT}`. */
const isFilledLater = (value: Json): boolean => typeof value === 'string' && /\$\{.+\}/.test(value)

function checkNumber(property: Property, value: Json): ItemProblem | null {
  if (isFilledLater(value)) return null
  const number = Number(value)
  if (!Number.isFinite(number)) return { code: 'not_a_number', property: property.name }
  if (property.min !== undefined && number < property.min) {
    return { code: 'too_small', property: property.name, limit: property.min }
  }
  if (property.max !== undefined && number > property.max) {
    return { code: 'too_large', property: property.name, limit: property.max }
  }
  return null
}

/** Typed values of these types are complete without a text. */
const NEEDS_NO_TEXT = new Set(['date', 'str', 'bool', 'json', 'bin'])

function checkProperty(property: Property, item: FlowItem, type: NodeType, records: Records): ItemProblem | null {
  const value = valueOf(item, property.name, type.properties)
  if (isEmptyValue(value)) {
    const typedAs = property.typeProperty ? asText(valueOf(item, property.typeProperty, type.properties)) : ''
    return property.required && !NEEDS_NO_TEXT.has(typedAs) ? { code: 'required', property: property.name } : null
  }
  if (property.kind === 'config' && !records.get(asText(value)) && !isFilledLater(value ?? '')) {
    return { code: 'config_missing', property: property.name }
  }
  if (property.kind === 'number' || property.kind === 'duration') return checkNumber(property, value ?? '')
  return null
}

/** Everything that is wrong with a record. A record that is switched off is left in peace by the caller, not here. */
export function problemsOf(item: FlowItem, type: NodeType, records: Records): ItemProblem[] {
  if (isMissing(type)) return [{ code: 'missing_type', property: '' }]
  return type.properties
    .filter((property) => applies(property.when, item, type.properties))
    .flatMap((property) => checkProperty(property, item, type, records) ?? [])
}
