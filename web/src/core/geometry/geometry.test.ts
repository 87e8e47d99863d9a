import { expect, test } from 'vitest'
import { aligned, distributed } from './arrange'
import { SpatialGrid } from './grid'
import { nodeSize, outputPoint, snapped } from './node'
import { overlaps } from './rect'
import { distanceTo, wireBounds, wirePath, wirePoints } from './wire'

test('nodes have the size that flow files were drawn with', () => {
  expect(nodeSize({ labelWidth: 10, outputs: 1, labelled: true })).toEqual({ w: 100, h: 30 })
  expect(nodeSize({ labelWidth: 75, outputs: 3, labelled: true })).toEqual({ w: 140, h: 45 })
  expect(nodeSize({ labelWidth: 75, outputs: 2, labelled: false })).toEqual({ w: 30, h: 30 })
})

test('outputs lie evenly about the middle', () => {
  const box = { x: 100, y: 100, w: 100, h: 45 }
  expect([0, 1, 2].map((port) => outputPoint(box, port, 3))).toEqual([
    { x: 150, y: 87 },
    { x: 150, y: 100 },
    { x: 150, y: 113 },
  ])
})

test('snapping puts the left edge and the middle line on the grid', () => {
  expect(snapped({ x: 107, y: 93 }, { w: 100, h: 30 })).toEqual({ x: 110, y: 100 })
})

test('a wire stays within its bounds, whichever way it leads', () => {
  const start = { x: 0, y: 0 }
  for (const end of [
    { x: 200, y: 40 },
    { x: 10, y: 90 },
    { x: -150, y: 0 },
    { x: -150, y: 200 },
    { x: -10, y: -300 },
  ]) {
    const bounds = wireBounds(start, end)
    for (const point of wirePoints(start, end)) {
      expect(overlaps({ left: point.x, right: point.x, top: point.y, bottom: point.y }, bounds)).toBe(true)
    }
    expect(wirePath(start, end)).toMatch(/^M0 0[CL][-\d. CLQ]+$/)
    expect(distanceTo(wirePoints(start, end), end)).toBe(0)
  }
})

test('the grid finds what overlaps and forgets what left', () => {
  const grid = new SpatialGrid<string>()
  grid.set('a', { left: 0, top: 0, right: 100, bottom: 100 })
  grid.set('b', { left: 900, top: 0, right: 1900, bottom: 20 })
  expect([...grid.query({ left: 1500, top: -5, right: 1600, bottom: 5 })]).toEqual(['b'])
  grid.set('a', { left: -900, top: 0, right: -800, bottom: 10 })
  expect([...grid.query({ left: 0, top: 0, right: 50, bottom: 50 })]).toEqual([])
  grid.delete('a')
  expect([...grid.rects()]).toHaveLength(1)
})

test('boxes are lined up and spread', () => {
  const boxes = [0, 130, 400].map((x, index) => ({ x, y: index * 10, w: 100, h: 30 }))
  expect(aligned(boxes, 'left').map((move) => move.x)).toEqual([0, -130, -400])
  expect(distributed(boxes, 'x').map((move) => move.x)).toEqual([0, 70, 0])
})
