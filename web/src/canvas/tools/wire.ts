/**
 * Making wires: from an output to an input or the other way round, by drag, or by a tap on a port and one on its target.
 */
import { addWire, removeWire } from '../../core/graph'
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

/** Makes the wires, if the loose end has caught something. Wires that were picked up and let go are gone. */
export function finish(): boolean {
  const wiring = canvas.wiring
  canvas.wiring = null
  const wires = wiring ? wiresOfWiring(wiring) : []
  const replaced = wiring?.replaces ?? []
  if (wires.length === 0 && replaced.length === 0) return false
  const count = Math.max(wires.length, replaced.length)
  const label = replaced.length === 0 ? 'undo.wire' : wires.length === 0 ? 'undo.deleteWire' : 'undo.rewire'
  editor.change(t(label, { count }), (draft) => {
    for (const wire of replaced) removeWire(draft, wire)
    for (const wire of wires) addWire(draft, wire)
  })
  return true
}

/** Starts a wire that follows the pointer without a button held. */
export function startSticky(start: WireStart): void {
  const at = start.side === 'out' ? start.cell.output(start.port) : start.cell.input
  canvas.wiring = { starts: [start], at, target: null, sticky: true, replaces: [] }
}

/** The wires at a port, and the starts from which they would be drawn anew. */
function wiresAt({ cell, side, port }: WireStart): { starts: WireStart[]; replaces: Wire[] } {
  const here = [...cell.wires].filter((wire) =>
    side === 'out' ? wire.from === cell && wire.wire.port === port : wire.to === cell,
  )
  const starts = here.map((wire): WireStart =>
    side === 'out' ? { cell: wire.to, side: 'in', port: 0 } : { cell: wire.from, side: 'out', port: wire.wire.port },
  )
  return { starts, replaces: here.map((wire) => wire.wire) }
}

/** Picks up the ends of all wires at a port (with shift held) and puts them down elsewhere. */
export function rewire(start: Pointer, from: WireStart): Gesture | null {
  const picked = wiresAt(from)
  if (picked.starts.length === 0) return null
  canvas.wiring = { ...picked, at: start.at, target: { cell: from.cell, port: from.port }, sticky: false }
  let moved = false
  return {
    follows: true,
    move(pointer) {
      moved ||= distance(pointer.client, start.client) > CLICK_DISTANCE
      if (canvas.wiring && moved) moveEnd(canvas.wiring, pointer.at, pointer.touch)
    },
    end() {
      if (moved) finish()
      else canvas.wiring = null
    },
    cancel() {
      canvas.wiring = null
    },
  }
}

/** Draws a wire until the release. On blank canvas it asks which node to put there. */
export function wire(start: Pointer, from: WireStart, onquickadd: (request: QuickAddRequest) => void): Gesture {
  canvas.wiring = { starts: [from], at: start.at, target: null, sticky: false, replaces: [] }
  let moved = false
  return {
    follows: true,
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
