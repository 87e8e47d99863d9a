/** What the catalogue says about a record: its type, its ports, its label. Types that nobody knows get a stand-in. */
import type { FlowItem, Json, NodeType, PortCount } from '../api/types'
import { isSubflowInstance, textOf, wiresOf } from './model/item'
import type { Records } from './store'

/** Node types by name. */
export type TypeMap = ReadonlyMap<string, NodeType>

/** The stand-in for a type that the server doesn't have. */
export function missingType(type: string): NodeType {
  return {
    type,
    category: 'missing',
    icon: 'circle-help',
    inputs: 1,
    outputs: 1,
    properties: [],
    texts: { label: type },
  }
}

const JUNCTION_TYPE: NodeType = {
  type: 'junction',
  category: 'common',
  icon: 'circle-dot',
  inputs: 1,
  outputs: 1,
  properties: [],
  texts: { label: 'junction' },
}

/** The type of a subflow instance, made from its template. */
function instanceType(item: FlowItem, records: Records): NodeType {
  const template = records.get(item.type.slice('subflow:'.length))
  if (!template) return missingType(item.type)
  const ports = (property: string): number => {
    const list = template[property]
    return Array.isArray(list) ? list.length : 0
  }
  const status = template['status'] === undefined ? 0 : 1
  const color = textOf(template, 'color')
  return {
    type: item.type,
    category: 'function',
    icon: 'workflow',
    ...(color ? { color } : {}),
    inputs: Math.min(ports('in'), 1),
    outputs: ports('out') + status,
    label: ['name'],
    properties: [],
    texts: { label: textOf(template, 'name') || 'subflow' },
  }
}

/** Whether nobody knows this type: not the server, and it is no part of the editor. */
export const isMissing = (type: NodeType): boolean => type.category === 'missing'

/** The type of a record. */
export function typeOf(item: FlowItem, types: TypeMap, records: Records): NodeType {
  if (isSubflowInstance(item)) return instanceType(item, records)
  if (item.type === 'junction') return JUNCTION_TYPE
  return types.get(item.type) ?? missingType(item.type)
}

/** The most ports that are drawn; a number beyond is a slip in a file, not a wish. */
const MOST_PORTS = 100

function count(ports: PortCount | undefined, item: FlowItem, type: NodeType): number {
  if (ports === undefined) return 0
  if (typeof ports === 'number') return ports
  if ('length' in ports) {
    const list = item[ports.length]
    return Array.isArray(list) ? list.length : 0
  }
  const value = item[ports.property] ?? type.properties.find(({ name }) => name === ports.property)?.default
  return Number(value ?? 0)
}

function portCount(ports: PortCount | undefined, item: FlowItem, type: NodeType): number {
  const number = Math.trunc(count(ports, item, type))
  return Number.isFinite(number) ? Math.min(Math.max(number, 0), MOST_PORTS) : 0
}

/** How many inputs (0 or 1) a node has. */
export function inputsOf(item: FlowItem, type: NodeType): number {
  return Math.min(portCount(type.inputs, item, type), 1)
}

/** How many outputs a node has. A node of an unknown type has as many as its wires need. */
export function outputsOf(item: FlowItem, type: NodeType): number {
  if (isMissing(type)) return Math.min(wiresOf(item).length, MOST_PORTS)
  return portCount(type.outputs, item, type)
}

/** The words on a node: its first telling property, else the label of its type. */
export function labelOf(item: FlowItem, type: NodeType): string {
  for (const property of type.label ?? ['name']) {
    const value = item[property]
    if (typeof value === 'string' && value.trim() !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return textOf(item, 'name') || textOf(item, 'label') || type.texts.label || type.type
}

/** Whether the label is drawn on the node: as its `l` says, else by its type (links are small). */
export function isLabelled(item: FlowItem): boolean {
  const shown = item['l']
  if (typeof shown === 'boolean') return shown
  return item.type !== 'link in' && item.type !== 'link out' && item.type !== 'junction'
}

/** A new record of a type: what its manifest says a fresh node gets. */
export function freshItem(type: NodeType, id: string): FlowItem {
  const item: FlowItem = { id, type: type.type }
  const put = (name: string, value: Json | undefined): void => {
    if (value !== undefined) item[name] = structuredClone(value)
  }
  item['name'] = ''
  for (const property of type.properties) {
    put(property.name, property.fresh ?? property.default)
    if (property.typeProperty) put(property.typeProperty, property.typeFresh ?? property.typeDefault)
  }
  if (typeof type.outputs === 'object' && 'length' in type.outputs && type.outputs.count !== undefined)
    item[type.outputs.count] = outputsOf(item, type)
  return item
}
