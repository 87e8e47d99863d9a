import { describe, expect, it } from 'vitest'
import type { FlowItem, NodeType } from '../../api/types'
import { countForList, fromEnabled, wiresForList, withEnabled } from './records'

const type: NodeType = {
  type: 'switch',
  category: 'function',
  outputs: { length: 'rules' },
  properties: [],
  texts: { label: 'switch' },
}
const rules = [{ t: 'a' }, { t: 'b' }, { t: 'c' }]
const item: FlowItem = { id: '1', type: 'switch', rules, wires: [['x'], ['y'], ['z']] }
const [a, b, c] = rules as [{ t: string }, { t: string }, { t: string }]

describe('wiresForList', () => {
  it('keeps wires with their entries', () => {
    expect(wiresForList(item, type, { rules: [a, c] })).toEqual([['x'], ['z']])
    expect(wiresForList(item, type, { rules: [c, a, b] })).toEqual([['z'], ['x'], ['y']])
    expect(wiresForList(item, type, { rules: [a, b, c, { t: 'd' }] })).toEqual([['x'], ['y'], ['z'], []])
  })
  it('leaves them while an entry is edited', () => {
    expect(wiresForList(item, type, { rules: [a, { t: 'bb' }, c] })).toBeNull()
    expect(wiresForList(item, type, { name: 'q' })).toBeNull()
  })
})

describe('countForList', () => {
  it('tells the number of outputs where the type wants it', () => {
    const counting: NodeType = { ...type, outputs: { length: 'rules', count: 'outputs' } }
    expect(countForList(counting, { rules: [a, c] })).toEqual({ outputs: 2 })
    expect(countForList(counting, { name: 'q' })).toEqual({})
    expect(countForList(type, { rules: [a, c] })).toEqual({})
  })
})

describe('enabled', () => {
  it('is the opposite of the flag in the file', () => {
    expect(withEnabled({ id: '1', type: 'tab', disabled: true })['enabled']).toBe(false)
    expect(fromEnabled({ id: '1', type: 'tab' }, { enabled: false })).toEqual({ disabled: true })
    expect(fromEnabled({ id: '1', type: 'x' }, { enabled: true })).toEqual({ d: undefined })
  })
})
