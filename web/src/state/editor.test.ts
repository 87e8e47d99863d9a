import { expect, test } from 'vitest'
import type { FlowItem, NodeType } from '../api/types'
import { Editor } from './editor.svelte'

const types: NodeType[] = [
  { type: 'json', category: 'parser', inputs: 1, outputs: 1, properties: [], texts: { label: 'json' } },
  {
    type: 'mqtt in',
    category: 'network',
    outputs: 1,
    properties: [{ name: 'broker', kind: 'config', type: 'mqtt-broker', required: true }],
    texts: { label: 'mqtt in' },
  },
  { type: 'mqtt-broker', category: 'config', config: true, properties: [], texts: { label: 'broker' } },
]
const flows: FlowItem[] = [
  { id: 't1', type: 'tab', label: 'One' },
  { id: 't2', type: 'tab', label: 'Two' },
  { id: 'br', type: 'mqtt-broker' },
  { id: 'a', type: 'mqtt in', z: 't1', broker: 'br', x: 100, y: 100, wires: [['b']] },
  { id: 'b', type: 'json', z: 't1', x: 300, y: 100, wires: [[]] },
]

function loaded(): Editor {
  const editor = new Editor()
  editor.catalog = new Map(types.map((type) => [type.type, type]))
  editor.load(flows, 'r1')
  return editor
}

test('loading shows the first tab and changes nothing', () => {
  const editor = loaded()
  expect(editor.tab).toBe('t1')
  expect([...editor.graph.nodes.keys()]).toEqual(['a', 'b'])
  expect([...editor.graph.wires.keys()]).toEqual(['a:0:b'])
  expect(editor.changeCount).toBe(0)
  expect(editor.serialise()).toEqual(flows)
})

test('a node is added with its broker, wired, undone and done again', () => {
  const editor = loaded()
  const id = editor.addNode('mqtt in', 200, 200)
  expect(editor.get(id)).toEqual({ id, type: 'mqtt in', z: 't1', name: '', broker: 'br', x: 200, y: 200, wires: [[]] })
  const spliced = editor.addNode('json', 200, 100, { into: { from: 'a', port: 0, to: 'b' } })
  expect([...editor.graph.wires.keys()].sort()).toEqual([`${spliced}:0:b`, `a:0:${spliced}`].sort())
  expect(editor.changeCount).toBe(3)
  editor.undo()
  editor.undo()
  expect(editor.changeCount).toBe(0)
  expect(editor.graph.wires.has('a:0:b')).toBe(true)
  editor.redo()
  expect(editor.graph.nodes.has(id)).toBe(true)
  expect(editor.graph.nodes.get(id)?.changed).toBe(true)
})

test('deleting a config node marks its users, undo takes the mark away', () => {
  const editor = loaded()
  editor.removeItems(['br'])
  expect(editor.graph.nodes.get('a')?.problems).toEqual([{ code: 'config_missing', property: 'broker' }])
  editor.undo()
  expect(editor.problems.size).toBe(0)
})

test('what changes while a deploy is on its way stays changed', () => {
  const editor = loaded()
  editor.change('x', (draft) => {
    draft.update('b', { name: 'sent' })
  })
  editor.setCredential('br', 'password', 'secret')
  const sent = editor.serialise()
  expect(sent.find((item) => item.id === 'br')).toMatchObject({ credentials: { password: 'secret' } })
  expect(editor.changeCount).toBe(2)
  editor.change('y', (draft) => {
    draft.update('a', { name: 'later' })
  })
  editor.markDeployed('r2', sent)
  expect([...editor.changedIds]).toEqual(['a'])
  expect(editor.pendingCredentials.size).toBe(0)
  expect(editor.rev).toBe('r2')
})

test('removing a tab opens its neighbour; undo brings it back and opens it', () => {
  const editor = loaded()
  editor.removeTab('t1')
  expect(editor.tab).toBe('t2')
  expect(editor.items.map((item) => item.id)).toEqual(['t2', 'br'])
  editor.undo()
  expect(editor.items).toEqual(flows)
  expect(editor.tab).toBe('t1')
})

test('copy and paste go over text, onto another tab', () => {
  const editor = loaded()
  editor.select(['a', 'b'])
  const text = editor.copy()
  editor.tab = 't2'
  const result = editor.paste(text)
  expect(result?.ids).toHaveLength(2)
  expect(editor.selection.nodes).toEqual(result?.ids)
  expect([...editor.graph.wires.values()]).toHaveLength(1)
  expect(editor.configNodes('mqtt-broker')).toHaveLength(1)
  expect(editor.paste('no flow')).toBeNull()
})
