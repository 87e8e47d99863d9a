/**
 * The course of a wire: a smooth curve to the right, and for a wire that leads back a rounded way round, so that it
 * doesn't hide behind the nodes it passes.
 */
import type { Point } from '../model/item'
import type { Rect } from './rect'

/** How far a wire goes straight out of a port before it turns back. */
const STUB = 16
/** How far below two nodes at one height a wire passes that leads back. */
const DETOUR = 36
const CORNER = 10
const SAMPLES = 16

/** A wire leads back when its end lies left of its start. */
const leadsBack = (from: Point, to: Point): boolean =>
  to.x < from.x + 8 && Math.hypot(to.x - from.x, to.y - from.y) > 24

/** How far the control points of the curve stand off its ends. */
function handle(from: Point, to: Point): number {
  const dx = Math.abs(to.x - from.x)
  const distance = Math.hypot(dx, to.y - from.y)
  return Math.max(dx * 0.5, Math.min(70, distance * 0.6))
}

/** The corners of the way round of a wire that leads back. */
function detour(from: Point, to: Point): Point[] {
  const right = from.x + STUB
  const left = to.x - STUB
  const level = Math.abs(to.y - from.y) < 2 * DETOUR ? Math.max(from.y, to.y) + DETOUR : (from.y + to.y) / 2
  return [from, { x: right, y: from.y }, { x: right, y: level }, { x: left, y: level }, { x: left, y: to.y }, to]
}

/** A path through corners, each rounded as far as the lines beside it allow. */
function rounded(points: readonly Point[]): string {
  const [start, ...rest] = points
  if (!start) return ''
  let path = `M${start.x} ${start.y}`
  let previous = start
  rest.forEach((corner, index) => {
    const next = rest[index + 1]
    if (!next) {
      path += `L${corner.x} ${corner.y}`
      return
    }
    const before = Math.hypot(corner.x - previous.x, corner.y - previous.y)
    const after = Math.hypot(next.x - corner.x, next.y - corner.y)
    const radius = Math.min(CORNER, before / 2, after / 2)
    const towards = (end: Point, length: number): Point =>
      length === 0
        ? corner
        : { x: corner.x + ((end.x - corner.x) * radius) / length, y: corner.y + ((end.y - corner.y) * radius) / length }
    const enter = towards(previous, before)
    const leave = towards(next, after)
    path += `L${enter.x} ${enter.y}Q${corner.x} ${corner.y} ${leave.x} ${leave.y}`
    previous = corner
  })
  return path
}

/** The course as the `d` of an SVG path. */
export function wirePath(from: Point, to: Point): string {
  if (leadsBack(from, to)) return rounded(detour(from, to))
  const reach = handle(from, to)
  return `M${from.x} ${from.y}C${from.x + reach} ${from.y} ${to.x - reach} ${to.y} ${to.x} ${to.y}`
}

/** The course as a line of points, for distances. */
export function wirePoints(from: Point, to: Point): Point[] {
  if (leadsBack(from, to)) return detour(from, to)
  const reach = handle(from, to)
  const points: Point[] = []
  for (let step = 0; step <= SAMPLES; step += 1) {
    const t = step / SAMPLES
    const u = 1 - t
    const b0 = u * u * u
    const b1 = 3 * u * u * t
    const b2 = 3 * u * t * t
    const b3 = t * t * t
    points.push({
      x: b0 * from.x + b1 * (from.x + reach) + b2 * (to.x - reach) + b3 * to.x,
      y: b0 * from.y + b1 * from.y + b2 * to.y + b3 * to.y,
    })
  }
  return points
}

/** The rectangle a wire lies in. */
export function wireBounds(from: Point, to: Point): Rect {
  const back = leadsBack(from, to)
  // The curve lies within its control points.
  const sideways = back ? STUB : Math.max(handle(from, to) - Math.abs(to.x - from.x), 0)
  return {
    left: Math.min(from.x, to.x - sideways),
    top: Math.min(from.y, to.y),
    right: Math.max(to.x, from.x + sideways),
    bottom: Math.max(from.y, to.y) + (back ? DETOUR : 0),
  }
}

/** The distance of a point from a line of points. */
export function distanceTo(points: readonly Point[], point: Point): number {
  let best = Infinity
  for (let index = 1; index < points.length; index += 1) {
    const a = points[index - 1]
    const b = points[index]
    if (a && b) best = Math.min(best, distanceToSegment(a, b, point))
  }
  return best
}

function distanceToSegment(a: Point, b: Point, point: Point): number {
  const dx = b.x - a.x
  const dy = b.y - a.y
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : ((point.x - a.x) * dx + (point.y - a.y) * dy) / length
  const t = Math.min(1, Math.max(0, along))
  return Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy)
}
