import { expect, test } from 'vitest'
import type { FlowItem, NodeType } from '../api/types'
import { freshItem, inputsOf, labelOf, missingType, outputsOf, typeOf } from './catalog'
import { RecordStore } from './store'
import { problemsOf } from './validate'

const type: NodeType = {
  type: 'mqtt in',
  category: 'network',
  inputs: { property: 'inputs' },
  outputs: { length: 'rules' },
  label: ['name', 'topic'],
  properties: [
    { name: 'topic', kind: 'topic', required: true, when: { mode: ['static', 'both'] } },
    { name: 'mode', kind: 'select', default: 'static', fresh: 'both' },
    { name: 'broker', kind: 'config', type: 'mqtt-broker', required: true },
    { name: 'port', kind: 'number', min: 1, max: 65535, default: 1883 },
    { name: 'value', kind: 'typed', required: true, typeProperty: 'valueType', typeDefault: 'date', default: '' },
  ],
  texts: { label: 'mqtt in' },
}
const records = new RecordStore([{ id: 'b', type: 'mqtt-broker' }])
const codes = (item: FlowItem): string[] => problemsOf(item, type, records).map((p) => `${p.property}:${p.code}`)

test('required, references and bounds are checked where they apply', () => {
  expect(codes({ id: 'a', type: 'mqtt in' })).toEqual(['topic:required', 'broker:required'])
  expect(codes({ id: 'a', type: 'mqtt in', mode: 'dynamic', broker: 'b' })).toEqual([])
  expect(codes({ id: 'a', type: 'mqtt in', topic: 't', broker: 'gone', port: '70000' })).toEqual([
    'broker:config_missing',
    'port:too_large',
  ])
  expect(codes({ id: 'a', type: 'mqtt in', topic: 't', broker: 'b', port: 'x' })).toEqual(['port:not_a_number'])
  expect(codes({ id: 'a', type: 'mqtt in', topic: 't', broker: 'b', port: '${PORT}', valueType: 'msg' })).toEqual([
    'value:required',
  ])
})

test('ports and labels come from the record', () => {
  const item: FlowItem = { id: 'a', type: 'mqtt in', name: '', topic: 'home/+', inputs: '1', rules: [1, 2] }
  expect([inputsOf(item, type), outputsOf(item, type), labelOf(item, type)]).toEqual([1, 2, 'home/+'])
  expect(outputsOf({ id: 'x', type: 'odd', wires: [['a'], [], []] }, missingType('odd'))).toBe(3)
})

test('a fresh node has what its manifest says', () => {
  expect(freshItem(type, 'n')).toMatchObject({ mode: 'both', port: 1883, value: '', valueType: 'date' })
})

test('a subflow instance has the ports of its template', () => {
  const store = new RecordStore([{ id: 's', type: 'subflow', name: 'Mine', in: [{}], out: [{}, {}] }])
  const instance: FlowItem = { id: 'i', type: 'subflow:s' }
  const found = typeOf(instance, new Map(), store)
  expect([inputsOf(instance, found), outputsOf(instance, found), labelOf(instance, found)]).toEqual([1, 2, 'Mine'])
})
