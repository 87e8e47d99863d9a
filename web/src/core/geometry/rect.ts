/** Rectangles that lie along the axes: bounds, overlap, distance. */
import type { Point } from '../model/item'
import type { Box } from './node'

/** A rectangle by its edges. */
export interface Rect {
  left: number
  top: number
  right: number
  bottom: number
}

/** The rectangle of a box, with `padding` around it. */
export function rectOf(box: Box, padding = 0): Rect {
  return {
    left: box.x - box.w / 2 - padding,
    top: box.y - box.h / 2 - padding,
    right: box.x + box.w / 2 + padding,
    bottom: box.y + box.h / 2 + padding,
  }
}

/** The rectangle between two corners, whichever they are. */
export function rectBetween(a: Point, b: Point): Rect {
  return { left: Math.min(a.x, b.x), top: Math.min(a.y, b.y), right: Math.max(a.x, b.x), bottom: Math.max(a.y, b.y) }
}

/** The smallest rectangle around all of them; null for none. */
export function boundsOf(rects: Iterable<Rect>): Rect | null {
  let bounds: Rect | null = null
  for (const rect of rects) bounds = bounds ? union(bounds, rect) : rect
  return bounds
}

/** The smallest rectangle around two. */
export function union(a: Rect, b: Rect): Rect {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}

/** A rectangle that is larger by `padding` on every side. */
export function padded(rect: Rect, padding: number): Rect {
  return {
    left: rect.left - padding,
    top: rect.top - padding,
    right: rect.right + padding,
    bottom: rect.bottom + padding,
  }
}

/** Whether two rectangles have a point in common. */
export function overlaps(a: Rect, b: Rect): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom
}

/** Whether a point lies in a rectangle. */
export function contains(rect: Rect, point: Point): boolean {
  return point.x >= rect.left && point.x <= rect.right && point.y >= rect.top && point.y <= rect.bottom
}

/** Whether one rectangle lies wholly in another. */
export function encloses(outer: Rect, inner: Rect): boolean {
  return (
    inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom
  )
}
