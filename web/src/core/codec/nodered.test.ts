import { expect, test } from 'vitest'
import { parse, serialise, withNewIds } from './nodered'

test('every property survives a round trip in its place', () => {
  const text = serialise([{ id: 'a', type: 'odd', z: 't', Ünknown: { deep: [null, 1.5] }, wires: [[]] }])
  const parsed = parse(text)
  expect(parsed.ok && serialise(parsed.items)).toBe(text)
})

test('reads what the admin API sends, one record alone, and a fenced block', () => {
  for (const text of [
    '{"flows":[{"id":"a","type":"tab"}]}',
    '{"id":"a","type":"tab"}',
    '```json\n[{"id":"a","type":"tab"}]\n```\n',
  ]) {
    expect(parse(text)).toEqual({ ok: true, items: [{ id: 'a', type: 'tab' }], skipped: 0 })
  }
})

test('tells where a text is broken, and what is no flow', () => {
  const broken = parse('[\n  {"id": "a",\n   type: 1}]')
  expect(broken).toMatchObject({ ok: false, error: { code: 'syntax' } })
  if (!broken.ok && broken.error.line !== undefined) expect(broken.error.line).toBe(3)
  expect(parse('  ')).toEqual({ ok: false, error: { code: 'empty' } })
  expect(parse('[1, {"id":"a"}]')).toEqual({ ok: false, error: { code: 'not_flows' } })
  expect(parse('[1, {"id":"a","type":"b"}]')).toMatchObject({ ok: true, skipped: 1 })
})

test('a copy gets new ids in every place', () => {
  let next = 0
  const copies = withNewIds(
    [
      { id: 't', type: 'tab', label: 't' },
      { id: 'g', type: 'group', z: 't', nodes: ['a'] },
      { id: 'a', type: 'link out', z: 't', g: 'g', links: ['b', 'outside'], name: 'b', wires: [['b']] },
      { id: 'b', type: 'subflow:s', z: 't', broker: 'c', scope: ['a'], rules: [{ t: 'a' }] },
      { id: 's', type: 'subflow', in: [{ wires: [{ id: 'a' }] }] },
      { id: 'c', type: 'mqtt-broker' },
    ],
    { keep: (id) => id === 'c', makeId: () => `n${(next += 1)}` },
  )
  expect(copies).toEqual([
    { id: 'n1', type: 'tab', label: 't' },
    { id: 'n2', type: 'group', z: 'n1', nodes: ['n3'] },
    { id: 'n3', type: 'link out', z: 'n1', g: 'n2', links: ['n4', 'outside'], name: 'b', wires: [['n4']] },
    { id: 'n4', type: 'subflow:n5', z: 'n1', broker: 'c', scope: ['n3'], rules: [{ t: 'n3' }] },
    { id: 'n5', type: 'subflow', in: [{ wires: [{ id: 'n3' }] }] },
    { id: 'c', type: 'mqtt-broker' },
  ])
})
