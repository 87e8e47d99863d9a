/** The words for a port: the record's own, its type's, or those of the rule that the port belongs to. */
import type { FlowItem, Json, NodeType } from '../api/types'
import { idsOf } from './model/item'
import { applies } from './validate'

/** The words for a port, where the node or its type has any. `port` counts from 0. */
export function portLabel(item: FlowItem, type: NodeType, side: 'input' | 'output', port: number): string {
  const own = idsOf(item, side === 'input' ? 'inputLabels' : 'outputLabels')[port]
  if (own) return own
  const ports = side === 'input' ? type.inputs : type.outputs
  if (typeof ports === 'object' && 'length' in ports) return entryLabel(item, type, ports.length, port)
  return (side === 'input' ? type.texts.inputLabel : type.texts.outputLabels?.[port]) ?? ''
}

/** The words for an entry of a list: the texts of its fields, one after the other. */
function entryLabel(item: FlowItem, type: NodeType, list: string, port: number): string {
  const entries = item[list]
  const entry = Array.isArray(entries) ? entries[port] : undefined
  const fields = type.properties.find(({ name }) => name === list)?.fields
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || !fields) return ''
  const record = { ...entry, id: '', type: type.type }
  const word = (name: string, value: Json | undefined): string => {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    return type.texts.options?.[name]?.[text] ?? text
  }
  return fields
    .filter((field) => field.kind !== 'bool' && applies(field.when, record, fields))
    .map((field) => word(field.name, entry[field.name]))
    .filter((text) => text !== '')
    .join(' ')
}
