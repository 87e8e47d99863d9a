/** What lies under a point of the tab, found by geometry: while the pointer is captured the browser doesn't tell. */
import { rectBetween, rectOf, contains, encloses, overlaps, padded, type Rect } from '../core/geometry/rect'
import { distanceTo, wirePoints } from '../core/geometry/wire'
import type { Point } from '../core/model/item'
import type { NodeCell, TabGraph, WireCell } from '../state/graph.svelte'

const around = (point: Point, distance: number): Rect => padded(rectBetween(point, point), distance)

/** The wire that passes near a point; `within` is the distance that still counts. */
export function wireUnder(graph: TabGraph, point: Point, within = 14): WireCell | null {
  let best: WireCell | null = null
  let bestDistance = within
  for (const wire of graph.wiresIn(around(point, within))) {
    const distance = distanceTo(wirePoints(wire.start, wire.end), point)
    if (distance < bestDistance) {
      best = wire
      bestDistance = distance
    }
  }
  return best
}

/** The node at a point, or the nearest one within a distance. */
export function nodeUnder(
  graph: TabGraph,
  point: Point,
  within: number,
  accept: (cell: NodeCell) => boolean,
): NodeCell | null {
  let best: NodeCell | null = null
  let bestDistance = Infinity
  for (const cell of graph.nodesIn(around(point, within))) {
    if (!accept(cell) || !contains(rectOf(cell.box, within), point)) continue
    const distance = Math.hypot(cell.x - point.x, cell.y - point.y)
    if (distance < bestDistance) {
      best = cell
      bestDistance = distance
    }
  }
  return best
}

/** The output of a node that is nearest to a point. */
export function nearestOutput(cell: NodeCell, point: Point): number {
  let best = 0
  for (let port = 1; port < cell.outputs; port += 1) {
    if (Math.abs(cell.output(port).y - point.y) < Math.abs(cell.output(best).y - point.y)) best = port
  }
  return best
}

/** What a lasso catches: nodes that it touches, groups that it holds wholly. */
export function caughtBy(graph: TabGraph, area: Rect): string[] {
  const nodes = graph.nodesIn(area).filter((cell) => overlaps(rectOf(cell.box), area))
  const groups = graph.groups.filter((group) => encloses(area, group.rect))
  return [...nodes.map((cell) => cell.id), ...groups.map((group) => group.id)]
}

/** The way an arrow key points. */
export type Heading = 'left' | 'right' | 'up' | 'down'

/** The nearest node that way: mostly straight ahead, a little aside counts double. */
export function neighbour(nodes: Iterable<NodeCell>, from: NodeCell, heading: Heading): NodeCell | null {
  let best: NodeCell | null = null
  let bestCost = Infinity
  for (const cell of nodes) {
    const dx = cell.x - from.x
    const dy = cell.y - from.y
    const ahead = { left: -dx, right: dx, up: -dy, down: dy }[heading]
    const aside = Math.abs(heading === 'left' || heading === 'right' ? dy : dx)
    if (cell === from || ahead <= 1 || aside > ahead * 3) continue
    const cost = ahead + 2 * aside
    if (cost < bestCost) {
      best = cell
      bestCost = cost
    }
  }
  return best
}
