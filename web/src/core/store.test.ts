import { expect, test } from 'vitest'
import type { FlowItem } from '../api/types'
import { Draft } from './draft'
import { History } from './history'
import { inverted, RecordStore } from './store'

const items: FlowItem[] = ['a', 'b', 'c', 'd'].map((id) => ({ id, type: 'function', name: id, own: { keep: [1] } }))
const ids = (store: RecordStore): string =>
  store
    .list()
    .map((item) => item.id)
    .join('')

function changed(store: RecordStore, edit: (draft: Draft) => void): ReturnType<Draft['diff']> {
  const draft = new Draft(store)
  edit(draft)
  const diff = draft.diff()
  store.apply(diff)
  return diff
}

test('a diff and its inverse give back the same records in the same order', () => {
  const store = new RecordStore(items)
  const diff = changed(store, (draft) => {
    draft.remove('b')
    draft.update('c', { name: 'changed', own: undefined })
    draft.add({ id: 'n', type: 'debug' }, 'a')
    draft.move('d', 'a')
  })
  expect(ids(store)).toBe('ndac')
  expect(store.get('c')).toEqual({ id: 'c', type: 'function', name: 'changed' })
  store.apply(inverted(diff))
  expect(store.list()).toEqual(items)
  store.apply(diff)
  expect(ids(store)).toBe('ndac')
})

test('an edit that changes nothing makes an empty diff', () => {
  const store = new RecordStore(items)
  const diff = changed(store, (draft) => {
    draft.add({ id: 'n', type: 'debug' })
    draft.remove('n')
    draft.update('nobody', { name: 'x' })
  })
  expect(diff).toEqual({ added: [], updated: [], removed: [] })
})

test('properties keep their order, whatever changes', () => {
  const store = new RecordStore([{ id: 'a', type: 't', z: 'tab', odd: null, x: 1, y: 2 }])
  changed(store, (draft) => {
    draft.update('a', { x: 5 })
  })
  expect(JSON.stringify(store.get('a'))).toBe('{"id":"a","type":"t","z":"tab","odd":null,"x":5,"y":2}')
})

test('typing in one field is one step of undo', () => {
  const store = new RecordStore(items)
  const history = new History(store)
  const type = (name: string, now: number): void => {
    history.record(
      'Edit',
      changed(store, (draft) => draft.update('a', { name })),
      { merge: 'a:name', now },
    )
  }
  type('x', 0)
  type('xy', 500)
  type('xyz', 9_000)
  history.undo()
  expect(store.get('a')?.['name']).toBe('xy')
  history.undo()
  expect(store.get('a')?.['name']).toBe('a')
  expect(history.last).toBeUndefined()
  history.redo()
  history.redo()
  expect(store.get('a')?.['name']).toBe('xyz')
})

test('squash makes one step, bail takes all back', () => {
  const store = new RecordStore(items)
  const history = new History(store)
  const mark = history.mark()
  for (const name of ['1', '2'])
    history.record(
      'x',
      changed(store, (draft) => draft.update('a', { name })),
    )
  history.squash(mark, 'Both')
  expect(history.last?.label).toBe('Both')
  history.undo()
  expect(store.list()).toEqual(items)
  const before = history.mark()
  history.record(
    'y',
    changed(store, (draft) => draft.remove('b')),
  )
  history.bail(before)
  expect(store.list()).toEqual(items)
  expect(history.next).toBeUndefined()
})
