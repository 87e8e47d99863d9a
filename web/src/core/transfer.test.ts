import { expect, test } from 'vitest'
import type { FlowItem } from '../api/types'
import { Draft } from './draft'
import { RecordStore } from './store'
import { conflictsOf, copyOf, importItems, type ImportOptions } from './transfer'

const flows: FlowItem[] = [
  { id: 't', type: 'tab', label: 'One' },
  { id: 'br', type: 'mqtt-broker', broker: 'localhost' },
  { id: 'a', type: 'mqtt in', z: 't', broker: 'br', x: 100, y: 100, wires: [['b', 'c']] },
  { id: 'b', type: 'debug', z: 't', x: 300, y: 100, wires: [] },
  { id: 'c', type: 'debug', z: 't', x: 300, y: 200, wires: [] },
]

function imported(items: FlowItem[], options: Partial<ImportOptions> = {}): FlowItem[] {
  const store = new RecordStore(flows)
  const draft = new Draft(store)
  let next = 0
  importItems(draft, items, { tab: 't', conflicts: 'copy', makeId: () => `n${(next += 1)}`, ...options })
  store.apply(draft.diff())
  return store.list().filter((item) => !flows.includes(item))
}

test('a copy takes the config nodes along and cuts wires that leave it', () => {
  expect(copyOf(new RecordStore(flows), ['a', 'b'])).toEqual([flows[1], { ...flows[2], wires: [['b']] }, flows[3]])
})

test('pasted nodes get new ids, come to the place asked for and use the broker that is there', () => {
  const copied = copyOf(new RecordStore(flows), ['a', 'b'])
  expect(imported(copied, { at: { x: 405, y: 300 } })).toEqual([
    { id: 'n1', type: 'mqtt in', z: 't', broker: 'br', x: 300, y: 300, wires: [['n2']] },
    { id: 'n2', type: 'debug', z: 't', x: 500, y: 300, wires: [] },
  ])
})

test('whole flows keep their ids where those are free', () => {
  const incoming: FlowItem[] = [
    { id: 't9', type: 'tab', label: 'Nine' },
    { id: 'x', type: 'debug', z: 't9', x: 1, y: 2, wires: [] },
  ]
  expect(imported(incoming)).toEqual(incoming)
})

test('nodes without a tab come onto a new one when that is asked for', () => {
  const [tab, node] = imported([{ id: 'x', type: 'debug', z: 'gone', g: 'gone', x: 1, y: 2, wires: [] }], {
    tab: 'new',
  })
  expect(tab).toMatchObject({ id: 'n1', type: 'tab' })
  expect(node).toEqual({ id: 'x', type: 'debug', z: 'n1', x: 1, y: 2, wires: [] })
})

test('conflicts are replaced or skipped as chosen', () => {
  const incoming: FlowItem[] = [
    { id: 'b', type: 'debug', z: 't', name: 'theirs', x: 0, y: 0, wires: [] },
    { id: 'new', type: 'debug', z: 't', x: 0, y: 0, wires: [] },
  ]
  expect(conflictsOf(new RecordStore(flows), incoming)).toEqual(['b'])
  expect(imported(incoming, { conflicts: 'replace' }).map((item) => item.id)).toEqual(['b', 'new'])
  expect(imported(incoming, { conflicts: 'skip' }).map((item) => item.id)).toEqual(['new'])
})
