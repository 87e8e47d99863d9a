import { expect, test } from 'vitest'
import type { FlowItem, NodeType } from '../api/types'
import { freshItem } from './catalog'
import { portLabel } from './portLabel'

const type: NodeType = {
  type: 'switch',
  category: 'function',
  inputs: 1,
  outputs: { length: 'rules', count: 'outputs' },
  properties: [
    {
      name: 'rules',
      kind: 'list',
      default: [],
      fresh: [{ t: 'eq', v: '' }],
      fields: [
        { name: 't', kind: 'select', default: null },
        { name: 'v', kind: 'typed', default: null, when: { t: ['eq', 'btwn'] } },
        { name: 'v', kind: 'select', default: null, when: { t: 'istype' } },
        { name: 'v2', kind: 'typed', default: null, when: { t: 'btwn' } },
        { name: 'case', kind: 'bool', default: null },
      ],
    },
  ],
  texts: {
    label: 'switch',
    options: { t: { eq: 'is', btwn: 'is between', else: 'otherwise' }, v: { array: 'a list' } },
  },
}

test('a rule gives its output its words', () => {
  const item: FlowItem = {
    id: 'a',
    type: 'switch',
    outputLabels: ['', '', 'mine'],
    rules: [
      { t: 'eq', v: 5, case: true },
      { t: 'btwn', v: '1', v2: '9' },
      { t: 'else' },
      { t: 'else', v: 'left over' },
      { t: 'istype', v: 'array' },
      7,
    ],
  }
  const labels = [0, 1, 2, 3, 4, 5, 6].map((port) => portLabel(item, type, 'output', port))
  expect(labels).toEqual(['is 5', 'is between 1 9', 'mine', 'otherwise', 'istype a list', '', ''])
})

test('a new node says how many outputs it has', () => {
  expect(freshItem(type, 'a')['outputs']).toBe(1)
})
