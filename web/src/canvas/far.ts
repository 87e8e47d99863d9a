/** Drawing a tab on a canvas element, as it looks from far away. */
import { ICON_WIDTH } from '../core/geometry/node'
import { wirePath } from '../core/geometry/wire'
import type { GroupCell, NodeCell, WireCell } from '../state/graph.svelte'

/** The colours to draw with. */
export interface FarColours {
  wire: string
  node: string
  line: string
  selected: string
  group: string
  category: (category: string) => string
}

/** Draws groups, wires and nodes; the context is in the coordinates of the tab. */
export function drawFar(
  context: CanvasRenderingContext2D,
  groups: readonly GroupCell[],
  wires: readonly WireCell[],
  nodes: readonly NodeCell[],
  colours: FarColours,
): void {
  context.lineWidth = 3
  context.strokeStyle = colours.group
  for (const group of groups) context.strokeRect(group.x, group.y, group.w, group.h)
  for (const wire of wires) {
    context.strokeStyle = wire.selected ? colours.selected : colours.wire
    context.stroke(new Path2D(wirePath(wire.start, wire.end)))
  }
  for (const cell of nodes) {
    const { w, h } = cell.size
    const left = cell.x - w / 2
    const top = cell.y - h / 2
    context.fillStyle = colours.node
    context.fillRect(left, top, w, h)
    context.fillStyle = colours.category(cell.type.category)
    context.fillRect(cell.type.align === 'right' ? left + w - ICON_WIDTH : left, top, Math.min(ICON_WIDTH, w), h)
    context.strokeStyle = cell.selected ? colours.selected : colours.line
    context.lineWidth = cell.selected ? 6 : 2
    context.strokeRect(left, top, w, h)
  }
}
