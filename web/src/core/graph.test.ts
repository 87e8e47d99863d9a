import { expect, test } from 'vitest'
import type { FlowItem } from '../api/types'
import { changesBetween, countOf, refreshed } from './diff'
import { Draft } from './draft'
import { addTab, moveTab, ungroup, usersOf } from './edit'
import { reachable, removeAndReconnect, removeItems, splice } from './graph'
import { fitGroupsOf, group } from './groups'
import { RecordStore } from './store'

const chain: FlowItem[] = [
  { id: 't', type: 'tab' },
  { id: 'a', type: 'inject', z: 't', x: 100, y: 100, wires: [['b']] },
  { id: 'b', type: 'function', z: 't', x: 200, y: 100, wires: [['c', 'd']] },
  { id: 'c', type: 'debug', z: 't', x: 300, y: 100, wires: [] },
  { id: 'd', type: 'debug', z: 't', x: 300, y: 200, wires: [] },
  { id: 'n', type: 'json', z: 't', x: 0, y: 0, wires: [] },
]

function edited(edit: (draft: Draft) => void, items = chain): RecordStore {
  const store = new RecordStore(items)
  const draft = new Draft(store)
  edit(draft)
  store.apply(draft.diff())
  return store
}

const wires = (store: RecordStore, id: string): unknown => store.get(id)?.['wires']

test('a node is put into a wire, the other wires stay', () => {
  const store = edited((draft) => {
    splice(draft, { from: 'b', port: 0, to: 'd' }, 'n')
  })
  expect(wires(store, 'b')).toEqual([['c', 'n']])
  expect(wires(store, 'n')).toEqual([['d']])
})

test('deleting cuts wires, deleting with reconnect joins the rest', () => {
  expect(
    wires(
      edited((draft) => {
        removeItems(draft, new Set(['b']))
      }),
      'a',
    ),
  ).toEqual([[]])
  expect(
    wires(
      edited((draft) => {
        removeAndReconnect(draft, new Set(['b']))
      }),
      'a',
    ),
  ).toEqual([['c', 'd']])
})

test('follows wires both ways', () => {
  expect([...reachable(chain, ['b'], 'downstream')]).toEqual(['b', 'c', 'd'])
  expect([...reachable(chain, ['c'], 'upstream')]).toEqual(['c', 'b', 'a'])
  expect(reachable(chain, ['c'], 'connected').size).toBe(4)
})

test('counts changes, of place too, and forgets those that were taken back', () => {
  const deployed = new RecordStore(chain)
  const now = edited((draft) => {
    draft.update('a', { x: 120 })
    draft.remove('n')
    addTab(draft, 't2', 'Two')
    moveTab(draft, 't2', 0)
  })
  const changes = changesBetween(deployed, now)
  expect([...changes.changed, ...changes.added, ...changes.removed]).toEqual(['a', 't2', 'n'])
  expect(countOf(changes)).toBe(3)
  const back = refreshed(changes, ['a', 't2', 'n'], deployed, new RecordStore(chain))
  expect(countOf(back)).toBe(0)
})

test('a new tab stands behind the other tabs and moves among them', () => {
  const order = (store: RecordStore): string =>
    store
      .list()
      .map((item) => item.id)
      .join(' ')
  const added = edited((draft) => {
    addTab(draft, 't2', 'Two')
  })
  expect(order(added)).toBe('t t2 a b c d n')
  expect(
    order(
      edited((draft) => {
        moveTab(draft, 't', 1)
      }, added.list()),
    ),
  ).toBe('t2 t a b c d n')
})

test('a group frames its members, grows with them, and comes apart', () => {
  const size = (): { w: number; h: number } => ({ w: 100, h: 30 })
  const grouped = edited((draft) => {
    group(draft, 'g', ['a', 'b'], size)
  })
  expect(grouped.get('g')).toMatchObject({ z: 't', nodes: ['a', 'b'], x: 30, y: 49, w: 240, h: 86 })
  const grown = edited((draft) => {
    draft.update('b', { x: 400 })
    fitGroupsOf(draft, ['b'], size)
  }, grouped.list())
  expect(grown.get('g')).toMatchObject({ x: 30, w: 440 })
  const apart = edited((draft) => {
    ungroup(draft, ['g'])
  }, grouped.list())
  expect(apart.list()).toEqual(chain)
})

test('users of a config node are found wherever they name it', () => {
  const items: FlowItem[] = [
    { id: 'c', type: 'mqtt-broker' },
    { id: 'x', type: 'mqtt in', broker: 'c', z: 't' },
    { id: 'y', type: 'odd', deep: [{ ref: 'c' }], z: 't' },
    { id: 'z', type: 'debug', z: 'c', wires: [['c']] },
  ]
  expect(usersOf(new RecordStore(items), 'c').map((item) => item.id)).toEqual(['x', 'y'])
})
