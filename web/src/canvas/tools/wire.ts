/**
 * Making wires: from an output to an input or the other way round, by drag, or by a tap on a port and one on its target.
 */
import { addWire } from '../../core/graph'
import type { Point, Wire } from '../../core/model/item'
import { t } from '../../i18n/t.svelte'
import { editor } from '../../state/editor.svelte'
import type { NodeCell } from '../../state/graph.svelte'
import { canvas, type QuickAddRequest, type WireStart, type Wiring } from '../controller.svelte'
import { nearestOutput, nodeUnder } from '../hit'
import { CLICK_DISTANCE, distance, type Gesture, type Pointer } from './gesture'

/** How far beside a node a wire is still caught by it. */
const CATCH = 14
const CATCH_TOUCH = 26

/** Whether a wire in the making may end at this node. */
export function accepts(wiring: Wiring, cell: NodeCell): boolean {
  const [first] = wiring.starts
  if (!first || wiring.starts.every((start) => start.cell === cell)) return false
  return first.side === 'out' ? cell.inputs > 0 || cell.junction : cell.outputs > 0 || cell.junction
}

/** The wires that it would become. */
export function wiresOfWiring({ starts, target }: Wiring): Wire[] {
  if (!target) return []
  return starts.flatMap((start): Wire[] => {
    if (start.cell === target.cell) return []
    return start.side === 'out'
      ? [{ from: start.cell.id, port: start.port, to: target.cell.id }]
      : [{ from: target.cell.id, port: target.port, to: start.cell.id }]
  })
}

/** Moves the loose end; it catches the nearest node that takes it. */
export function moveEnd(wiring: Wiring, at: Point, touch: boolean): void {
  const within = (touch ? CATCH_TOUCH : CATCH) / Math.min(canvas.camera.zoom, 1)
  const cell = nodeUnder(editor.graph, at, within, (candidate) => accepts(wiring, candidate))
  const target = cell ? { cell, port: nearestOutput(cell, at) } : null
  canvas.wiring = { ...wiring, at, target }
}

/** Makes the wires, if the loose end has caught something. */
export function finish(): boolean {
  const wiring = canvas.wiring
  canvas.wiring = null
  const wires = wiring ? wiresOfWiring(wiring) : []
  if (wires.length === 0) return false
  editor.change(t('undo.wire', { count: wires.length }), (draft) => {
    for (const wire of wires) addWire(draft, wire)
  })
  return true
}

/** Starts a wire that follows the pointer without a button held. */
export function startSticky(start: WireStart): void {
  const at = start.side === 'out' ? start.cell.output(start.port) : start.cell.input
  canvas.wiring = { starts: [start], at, target: null, sticky: true }
}

/** Draws a wire until the release. On blank canvas it asks which node to put there. */
export function wire(start: Pointer, from: WireStart, onquickadd: (request: QuickAddRequest) => void): Gesture {
  canvas.wiring = { starts: [from], at: start.at, target: null, sticky: false }
  let moved = false
  return {
    move(pointer) {
      moved ||= distance(pointer.client, start.client) > CLICK_DISTANCE
      if (canvas.wiring) moveEnd(canvas.wiring, pointer.at, pointer.touch)
    },
    end(pointer) {
      if (!moved) {
        startSticky(from)
        return
      }
      if (finish()) return
      const onNode = nodeUnder(editor.graph, pointer.at, 4, () => true)
      if (onNode) return
      const port = from.side === 'out' ? from.port : null
      onquickadd(canvas.quickAddAt(pointer.at, pointer.client, { id: from.cell.id, port }))
    },
    cancel() {
      canvas.wiring = null
    },
  }
}
