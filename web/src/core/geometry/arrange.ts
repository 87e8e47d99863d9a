/** Lining up boxes and spreading them evenly. Answers how far each has to move. */
import type { Point } from '../model/item'
import { GRID, type Box } from './node'

/** The line that boxes are brought to. */
export type Alignment = 'left' | 'right' | 'top' | 'bottom' | 'centre' | 'middle'

const range = (values: number[]): [least: number, most: number] => [Math.min(...values), Math.max(...values)]

/** The moves that line boxes up. */
export function aligned(boxes: readonly Box[], alignment: Alignment): Point[] {
  const [left] = range(boxes.map((box) => box.x - box.w / 2))
  const [, right] = range(boxes.map((box) => box.x + box.w / 2))
  const [top] = range(boxes.map((box) => box.y - box.h / 2))
  const [, bottom] = range(boxes.map((box) => box.y + box.h / 2))
  const onGrid = (value: number): number => Math.round(value / (GRID / 2)) * (GRID / 2)
  return boxes.map((box) => {
    switch (alignment) {
      case 'left':
        return { x: left - (box.x - box.w / 2), y: 0 }
      case 'right':
        return { x: right - (box.x + box.w / 2), y: 0 }
      case 'top':
        return { x: 0, y: top - (box.y - box.h / 2) }
      case 'bottom':
        return { x: 0, y: bottom - (box.y + box.h / 2) }
      case 'centre':
        return { x: onGrid((left + right) / 2) - box.x, y: 0 }
      case 'middle':
        return { x: 0, y: onGrid((top + bottom) / 2) - box.y }
    }
  })
}

/** The moves that give boxes equal gaps; the outer two stay. */
export function distributed(boxes: readonly Box[], axis: 'x' | 'y'): Point[] {
  const length = (box: Box): number => (axis === 'x' ? box.w : box.h)
  const order = boxes.map((_, index) => index).sort((a, b) => (boxes[a]?.[axis] ?? 0) - (boxes[b]?.[axis] ?? 0))
  const sorted = order.flatMap((index) => boxes[index] ?? [])
  const [first, last] = [sorted[0], sorted.at(-1)]
  const moves: Point[] = boxes.map(() => ({ x: 0, y: 0 }))
  if (!first || !last || boxes.length < 3) return moves
  const span = last[axis] + length(last) / 2 - (first[axis] - length(first) / 2)
  const gap = (span - sorted.reduce((sum, box) => sum + length(box), 0)) / (sorted.length - 1)
  let edge = first[axis] - length(first) / 2
  sorted.forEach((box, place) => {
    const shift = Math.round(edge + length(box) / 2 - box[axis])
    moves[order[place] ?? 0] = axis === 'x' ? { x: shift, y: 0 } : { x: 0, y: shift }
    edge += length(box) + gap
  })
  return moves
}
