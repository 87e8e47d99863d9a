/**
 * From presses to gestures: what is under the pointer decides which tool takes over until the release. Two fingers
 * pinch, whatever the first one had begun.
 */
import type { Point } from '../core/model/item'
import { editor } from '../state/editor.svelte'
import { canvas, type QuickAddRequest, type WireStart } from './controller.svelte'
import { distance, type Gesture, type Pointer } from './tools/gesture'
import { lasso } from './tools/lasso'
import { move } from './tools/move'
import { pan } from './tools/pan'
import { finish, moveEnd, rewire, wire } from './tools/wire'

/** What the canvas tells the page. */
export interface CanvasEvents {
  /** The button of a node was pressed. */
  onbutton: (id: string) => void
  /** A node shall be chosen for a place. */
  onquickadd: (request: QuickAddRequest) => void
  /** The form of a node or group shall open. */
  onopen: (id: string) => void
}

/** A part of the drawing that does something. */
interface Hit {
  kind: 'node' | 'group' | 'wire' | 'in' | 'out' | 'button' | 'blank'
  id: string
  port: number
}

const KINDS = new Set<string>(['node', 'group', 'wire', 'in', 'out', 'button'])
const DOUBLE_CLICK = 400
/** How near to the edge of the view (in pixels) it begins to follow, and how fast it does at most, per frame. */
const EDGE = 28
const EDGE_SPEED = 14

function isKind(kind: string | undefined): kind is Hit['kind'] {
  return kind !== undefined && KINDS.has(kind)
}

/** What a press on this element means. */
export function hitOf(target: EventTarget | null): Hit {
  const element = target instanceof Element ? target.closest<SVGElement>('[data-hit]') : null
  const kind = element?.dataset['hit']
  if (!element || !isKind(kind)) return { kind: 'blank', id: '', port: 0 }
  return { kind, id: element.dataset['id'] ?? element.dataset['key'] ?? '', port: Number(element.dataset['port'] ?? 0) }
}

/** Handles the pointers of the canvas. */
export class PointerHandling {
  /** The space bar is down: the left button pans. */
  space = false
  readonly #events: CanvasEvents
  readonly #down = new Map<number, Point>()
  #gesture: Gesture | null = null
  #stepping = false
  #edge: { event: PointerEvent; dx: number; dy: number } | null = null
  #lastClick = { id: '', time: 0 }

  constructor(events: CanvasEvents) {
    this.#events = events
  }

  /** Whether something is going on that Esc breaks off. */
  get busy(): boolean {
    return this.#gesture !== null || canvas.wiring !== null || canvas.placing !== null
  }

  press(event: PointerEvent): void {
    if (event.pointerType === 'mouse' && event.button === 2) return
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY })
    canvas.element?.setPointerCapture(event.pointerId)
    if (this.#down.size > 1) {
      this.#gesture?.cancel()
      this.#gesture = null
      return
    }
    this.#gesture = this.#begin(event, toPointer(event), hitOf(event.target))
  }

  move(event: PointerEvent): void {
    const pointer = toPointer(event)
    const before = this.#down.get(event.pointerId)
    if (before && this.#down.size === 2) this.#pinch(event.pointerId, before, pointer.client)
    if (before) this.#down.set(event.pointerId, pointer.client)
    if (this.#down.size > 1) return
    if (this.#gesture) {
      this.#gesture.move(pointer)
      this.#follow(event)
    } else if (canvas.placing) canvas.movePlacing(pointer.at, pointer.free)
    else if (canvas.wiring?.sticky && !pointer.touch) moveEnd(canvas.wiring, pointer.at, false)
  }

  release(event: PointerEvent): void {
    this.#down.delete(event.pointerId)
    this.#edge = null
    const gesture = this.#gesture
    this.#gesture = null
    gesture?.end(toPointer(event))
  }

  /** Breaks off what is going on. */
  cancel(): void {
    this.#edge = null
    this.#gesture?.cancel()
    this.#gesture = null
    this.#down.clear()
    canvas.cancel()
  }

  #begin(event: PointerEvent, pointer: Pointer, hit: Hit): Gesture | null {
    if (event.button === 1 || (event.button === 0 && this.space)) return pan(canvas.camera, pointer)
    if (canvas.placing) return this.#place(pointer)
    if (canvas.wiring) return this.#endWiring(pointer)
    const node = editor.graph.nodes.get(hit.id)
    switch (hit.kind) {
      case 'button':
        return this.#click(() => {
          this.#events.onbutton(hit.id)
        })
      case 'out':
      case 'in':
        return node ? this.#pressPort(pointer, { cell: node, side: hit.kind, port: hit.port }) : null
      case 'node':
      case 'group':
        return this.#pressItem(pointer, hit.id)
      case 'wire':
        return this.#pressWire(pointer, hit.id)
      case 'blank':
        return pointer.touch
          ? pan(canvas.camera, pointer, (end) => {
              this.#clickBlank(end)
            })
          : lasso(pointer, (end) => {
              this.#clickBlank(end)
            })
    }
  }

  #pressPort(pointer: Pointer, start: WireStart): Gesture | null {
    const picked = pointer.shift ? rewire(pointer, start) : null
    return picked ?? wire(pointer, start, this.#events.onquickadd)
  }

  #pressItem(pointer: Pointer, id: string): Gesture | null {
    const cell = editor.graph.nodes.get(id) ?? editor.graph.groups.find((group) => group.id === id)
    if (!cell) return null
    const adds = pointer.ctrl || pointer.shift
    const was = cell.selected
    if (!was) editor.select([id], adds ? 'add' : 'set')
    canvas.focused = id
    return move(pointer, cell, () => {
      if (was && adds) editor.select([id], 'toggle')
      else if (was) editor.select([id])
      if (!adds && this.#isDouble(id)) this.#events.onopen(id)
    })
  }

  #pressWire(pointer: Pointer, key: string): Gesture | null {
    const cell = editor.graph.wires.get(key)
    if (!cell) return null
    return this.#click(() => {
      const adds = pointer.ctrl || pointer.shift
      editor.select({ wires: [cell.wire] }, adds ? 'toggle' : 'set')
      if (adds || !this.#isDouble(key)) return
      this.#events.onquickadd({ ...canvas.quickAddAt(pointer.at, pointer.client), into: cell.wire })
    })
  }

  /** Moves the view while a gesture holds the pointer at its edge. */
  #follow(event: PointerEvent): void {
    const box = canvas.element?.getBoundingClientRect()
    if (!box || !this.#gesture?.follows) return
    const push = (place: number, from: number, to: number): number =>
      Math.max(-1, Math.min(0, (place - from - EDGE) / EDGE)) + Math.min(1, Math.max(0, (place - to + EDGE) / EDGE))
    const dx = push(event.clientX, box.left, box.right) * EDGE_SPEED
    const dy = push(event.clientY, box.top, box.bottom) * EDGE_SPEED
    this.#edge = dx === 0 && dy === 0 ? null : { event, dx, dy }
    if (this.#edge && !this.#stepping) {
      this.#stepping = true
      requestAnimationFrame(this.#step)
    }
  }

  #step = (): void => {
    this.#stepping = this.#edge !== null && this.#gesture !== null
    if (!this.#edge || !this.#gesture) return
    canvas.camera.panBy(this.#edge.dx, this.#edge.dy)
    this.#gesture.move(toPointer(this.#edge.event))
    requestAnimationFrame(this.#step)
  }

  #clickBlank(pointer: Pointer): void {
    if (pointer.ctrl) this.#events.onquickadd(canvas.quickAddAt(pointer.at, pointer.client))
    else if (!pointer.shift) {
      editor.clearSelection()
      canvas.focused = null
    }
  }

  #place(pointer: Pointer): Gesture {
    canvas.movePlacing(pointer.at, pointer.free)
    return {
      move: ({ at, free }) => {
        canvas.movePlacing(at, free)
      },
      end: ({ at, free }) => canvas.finishPlacing(at, free),
      cancel: () => {
        canvas.cancel()
      },
    }
  }

  #endWiring(pointer: Pointer): Gesture {
    return this.#click(() => {
      const [start] = canvas.wiring?.starts ?? []
      if (canvas.wiring) moveEnd(canvas.wiring, pointer.at, pointer.touch)
      if (finish() || !start || pointer.touch) return
      const port = start.side === 'out' ? start.port : null
      this.#events.onquickadd(canvas.quickAddAt(pointer.at, pointer.client, { id: start.cell.id, port }))
    })
  }

  #click(run: () => void): Gesture {
    return { move: () => undefined, end: run, cancel: () => undefined }
  }

  #isDouble(id: string): boolean {
    const now = performance.now()
    const double = this.#lastClick.id === id && now - this.#lastClick.time < DOUBLE_CLICK
    this.#lastClick = { id: double ? '' : id, time: now }
    return double
  }

  #pinch(id: number, before: Point, now: Point): void {
    const [other] = [...this.#down].filter(([key]) => key !== id).map(([, point]) => point)
    if (!other) return
    const box = canvas.element?.getBoundingClientRect()
    const middle = { x: (now.x + other.x) / 2 - (box?.left ?? 0), y: (now.y + other.y) / 2 - (box?.top ?? 0) }
    const { camera } = canvas
    camera.panBy((before.x - now.x) / 2, (before.y - now.y) / 2)
    const spread = distance(before, other)
    if (spread > 10) camera.zoomTo((camera.zoom * distance(now, other)) / spread, middle)
  }
}

function toPointer(event: PointerEvent): Pointer {
  const client = { x: event.clientX, y: event.clientY }
  return {
    client,
    at: canvas.fromClient(client),
    ctrl: event.ctrlKey || event.metaKey,
    shift: event.shiftKey,
    free: event.altKey,
    touch: event.pointerType === 'touch',
  }
}
