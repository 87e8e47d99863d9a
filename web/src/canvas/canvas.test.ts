import { expect, test } from 'vitest'
import type { NodeType } from '../api/types'
import { editor } from '../state/editor.svelte'
import type { NodeCell } from '../state/graph.svelte'
import { Camera } from './camera.svelte'
import { canvas } from './controller.svelte'
import { neighbour, nodeUnder, wireUnder } from './hit'
import { startSticky, accepts, finish, moveEnd } from './tools/wire'

const types: NodeType[] = [
  { type: 'in', category: 'common', outputs: 2, properties: [], texts: { label: 'in' } },
  { type: 'mid', category: 'common', inputs: 1, outputs: 1, properties: [], texts: { label: 'mid' } },
]

function cell(id: string): NodeCell {
  const found = editor.graph.nodes.get(id)
  if (!found) throw new Error(`no node ${id}`)
  return found
}

function load(): void {
  editor.catalog = new Map(types.map((type) => [type.type, type]))
  editor.load(
    [
      { id: 't', type: 'tab', label: 'One' },
      { id: 'a', type: 'in', z: 't', x: 100, y: 100, wires: [['b'], []] },
      { id: 'b', type: 'mid', z: 't', x: 400, y: 100, wires: [[]] },
      { id: 'c', type: 'mid', z: 't', x: 400, y: 300, wires: [[]] },
    ],
    'r',
  )
}

test('zoom keeps what is under the pointer, fit never enlarges', () => {
  const camera = new Camera()
  camera.width = 800
  camera.height = 600
  const at = { x: 200, y: 150 }
  const before = camera.toTab(at)
  camera.zoomTo(2, at)
  expect(camera.toTab(at)).toEqual(before)
  camera.fit({ left: 0, top: 0, right: 100, bottom: 100 })
  expect(camera.zoom).toBe(1)
  camera.fit({ left: 0, top: 0, right: 4000, bottom: 100 })
  expect(camera.toView({ x: 4000, y: 0 }).x).toBeLessThan(800)
})

test('nodes and wires are found near a point', () => {
  load()
  expect(wireUnder(editor.graph, { x: 250, y: 97 })?.key).toBe('a:0:b')
  expect(wireUnder(editor.graph, { x: 250, y: 160 })).toBeNull()
  expect(nodeUnder(editor.graph, { x: 345, y: 110 }, 10, () => true)?.id).toBe('b')
  expect(neighbour(editor.graph.nodes.values(), cell('a'), 'right')?.id).toBe('b')
  expect(neighbour(editor.graph.nodes.values(), cell('b'), 'down')?.id).toBe('c')
})

test('a wire in the making takes valid ends only and becomes one step', () => {
  load()
  startSticky({ cell: cell('a'), side: 'out', port: 1 })
  const wiring = canvas.wiring
  if (!wiring) throw new Error('no wiring')
  expect(accepts(wiring, cell('a'))).toBe(false)
  moveEnd(wiring, { x: 350, y: 300 }, false)
  expect(canvas.wiring?.target?.cell.id).toBe('c')
  expect(finish()).toBe(true)
  expect(editor.get('a')).toMatchObject({ wires: [['b'], ['c']] })
  editor.undo()
  expect(editor.changeCount).toBe(0)
})

test('placing on a wire puts the node into it', () => {
  load()
  canvas.startPlacing('mid')
  const id = canvas.finishPlacing({ x: 251, y: 103 })
  expect(editor.get('a')).toMatchObject({ wires: [[id], []] })
  expect(editor.get(id ?? '')).toMatchObject({ wires: [['b']], y: 100 })
})
