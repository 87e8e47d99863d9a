import { expect, test } from 'vitest'
import type { TopicChild } from '../api/broker'
import { BrokerState, numberIn } from './broker.svelte'

function child(name: string, topics: number, payload?: string): TopicChild {
  const value =
    payload === undefined
      ? {}
      : { value: { payload, size: payload.length, qos: 0 as const, retained: false, count: 1 } }
  return { name, topics, rate: 0, time: 0, ...value }
}

const topics = (state: BrokerState): string[] => state.rows().map((row) => `${'  '.repeat(row.depth)}${row.topic}`)

test('open branches are rows, in the order of their names', () => {
  const state = new BrokerState()
  state.take({ branches: { '': { children: [child('b', 1, '1'), child('a10', 1, '1'), child('a9', 3)], more: 0 } } })
  expect(topics(state)).toEqual(['a9', 'a10', 'b'])
  expect(state.rows().map((row) => row.branch)).toEqual(['a9/', null, null])
  state.toggle('a9/')
  state.take({ branches: { 'a9/': { children: [child('x', 2, '1')], more: 0 } } })
  expect(topics(state)).toEqual(['a9', '  a9/x', 'a10', 'b'])
  state.toggle('a9/x/')
  state.take({ branches: { 'a9/x/': { children: [child('', 1, '1')], more: 4 } } })
  expect(topics(state)[2]).toBe('    a9/x/')
  expect(state.more).toBe(4)
  state.toggle('a9/')
  expect([...state.open]).toEqual([''])
})

test('what is gone goes, and what has changed changes', () => {
  const state = new BrokerState()
  state.take({ branches: { '': { children: [child('a', 1, '1'), child('b', 1, '1')], more: 0 } } })
  state.take({ branches: { '': { children: [child('b', 1, '2')], gone: ['a'], more: 0 } } })
  expect(topics(state)).toEqual(['b'])
  expect(state.find('b')?.value?.payload).toBe('2')
  expect(state.history('b')).toEqual([1, 2])
})

test('a filter keeps what is above', () => {
  const state = new BrokerState()
  state.toggle('site/')
  state.take({
    branches: {
      '': { children: [child('site', 2), child('other', 1, '1')], more: 0 },
      'site/': { children: [child('Hall', 1, '1'), child('attic', 1, '1')], more: 0 },
    },
  })
  state.text = ' hall'
  expect(topics(state)).toEqual(['site', '  site/Hall'])
})

test('numbers in payloads', () => {
  expect(['21.5', ' 7 ', '{"t":3,"u":4}', '{"a":"x"}', 'on', '', '{', '[1]', 'null'].map(numberIn)).toEqual([
    21.5,
    7,
    3,
    null,
    null,
    null,
    null,
    null,
    null,
  ])
})
