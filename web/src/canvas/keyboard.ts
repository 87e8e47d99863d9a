/** Keys of the canvas: walking from node to node, moving, wiring and opening without a pointer. */
import { rectOf } from '../core/geometry/rect'
import { GRID } from '../core/geometry/node'
import { t } from '../i18n/t.svelte'
import { editor } from '../state/editor.svelte'
import type { NodeCell } from '../state/graph.svelte'
import { canvas } from './controller.svelte'
import { neighbour, type Heading } from './hit'
import type { CanvasEvents } from './pointer'
import { commitMove, movingCells } from './tools/move'
import { accepts, finish, startSticky } from './tools/wire'

const HEADINGS: Partial<Record<string, Heading>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

/** Handles a key and answers whether it was one of the canvas's. */
export function handleKey(event: KeyboardEvent, events: CanvasEvents): boolean {
  const heading = HEADINGS[event.key]
  const ctrl = event.ctrlKey || event.metaKey
  if (heading && !event.altKey) {
    if (canvas.wiring) walkTargets(heading)
    else if (ctrl) nudge(heading, event.shiftKey ? 1 : GRID)
    else walk(heading, event.shiftKey)
    return true
  }
  if (ctrl || event.altKey) return false
  switch (event.key) {
    case 'Enter':
      return enter(events)
    case 'c':
      return startWire()
    case '/':
      events.onquickadd(besideFocus())
      return true
    default:
      return false
  }
}

const focusedCell = (): NodeCell | undefined =>
  editor.graph.nodes.get(canvas.focused ?? editor.selection.nodes.at(-1) ?? '')

function focusOn(cell: NodeCell, adds: boolean): void {
  canvas.focused = cell.id
  editor.select([cell.id], adds ? 'add' : 'set')
  canvas.camera.reveal(rectOf(cell.box))
}

/** To the nearest node that way; without a start, to the one nearest to the middle of the view. */
function walk(heading: Heading, adds: boolean): void {
  const from = focusedCell()
  if (from) {
    const next = neighbour(editor.graph.nodes.values(), from, heading)
    if (next) focusOn(next, adds)
    return
  }
  const { centre } = canvas.camera
  const far = (cell: NodeCell): number => Math.hypot(cell.x - centre.x, cell.y - centre.y)
  const [first] = [...editor.graph.nodes.values()].sort((a, b) => far(a) - far(b))
  if (first) focusOn(first, false)
}

function nudge(heading: Heading, step: number): void {
  const dx = { left: -step, right: step, up: 0, down: 0 }[heading]
  const dy = { left: 0, right: 0, up: -step, down: step }[heading]
  const ids = movingCells().map((cell) => cell.id)
  if (ids.length > 0) commitMove(ids, dx, dy, { merge: `nudge:${ids.join()}` })
}

function enter(events: CanvasEvents): boolean {
  if (canvas.wiring) {
    canvas.message = t(finish() ? 'canvas.wired' : 'canvas.notWired')
    return true
  }
  const id = focusedCell()?.id ?? editor.selection.nodes.at(-1)
  if (id === undefined) return false
  events.onopen(id)
  return true
}

/** Begins a wire at the first output; arrow keys then choose its end and Enter makes it. */
function startWire(): boolean {
  const cell = focusedCell()
  if (!cell || cell.outputs === 0) return false
  startSticky({ cell, side: 'out', port: 0 })
  canvas.message = t('canvas.wiring', { name: cell.label })
  return true
}

function walkTargets(heading: Heading): void {
  const wiring = canvas.wiring
  const from = wiring?.target?.cell ?? wiring?.starts[0]?.cell
  if (!wiring || !from) return
  const candidates = [...editor.graph.nodes.values()].filter((cell) => accepts(wiring, cell))
  const next = neighbour(candidates, from, heading)
  if (!next) return
  canvas.wiring = { ...wiring, at: next.input, target: { cell: next, port: 0 } }
  canvas.camera.reveal(rectOf(next.box))
  canvas.message = next.label
}

/** The place for a node after the focused one, to be wired to it. */
function besideFocus(): Parameters<CanvasEvents['onquickadd']>[0] {
  const cell = focusedCell()
  const at = cell ? { x: cell.x + cell.size.w / 2 + 60, y: cell.y } : canvas.camera.centre
  const taken = (): boolean =>
    editor.graph.nodesIn({ left: at.x, right: at.x + 120, top: at.y - 20, bottom: at.y + 20 }).length > 0
  for (let tries = 0; tries < 20 && taken(); tries += 1) at.y += 2 * GRID
  const from = cell && cell.outputs > 0 ? { id: cell.id, port: 0 } : undefined
  return canvas.quickAddAt(at, canvas.toClient(at), from)
}
