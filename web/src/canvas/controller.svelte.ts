/**
 * What the rest of the page can ask of the canvas, and what its gestures show while they last.
 *
 * There is one canvas on the page, so this is one object: the palette starts placing here, menus zoom here.
 */
import type { Json, NodeType } from '../api/types'
import { inputsOf, outputsOf, labelOf, freshItem } from '../core/catalog'
import { nodeSize, snapped, type Size } from '../core/geometry/node'
import { rectOf, type Rect } from '../core/geometry/rect'
import type { Point, Wire } from '../core/model/item'
import { editor } from '../state/editor.svelte'
import type { NodeCell, WireCell } from '../state/graph.svelte'
import { labelWidth } from '../state/measure'
import { Camera, type View } from './camera.svelte'
import { wireUnder } from './hit'

/** The type of data that a dragged palette entry carries: the name of the node type. */
export const TYPE_MIME = 'application/x-flowrill-type'
/** That of properties that a dragged node is to have, as JSON. */
export const PROPERTIES_MIME = 'application/x-flowrill-properties'

/** Where a wire in the making starts: an output, or an input that looks for an output. */
export interface WireStart {
  cell: NodeCell
  side: 'out' | 'in'
  port: number
}

/** A wire in the making. Several starts make several wires at once. */
export interface Wiring {
  starts: WireStart[]
  /** Where its loose end is. */
  at: Point
  target: { cell: NodeCell; port: number } | null
  /** Begun by a tap (or by key) and waiting for the tap that ends it. */
  sticky: boolean
  /** Wires whose ends were picked up; they go when this ends, wherever that is. */
  replaces: Wire[]
}

/** A node in the making: its type hangs on the pointer. */
export interface Placing {
  type: NodeType
  size: Size
  at: Point | null
  into: WireCell | null
  /** Properties over the fresh ones. */
  set: Record<string, Json>
}

/** Asks for the list of node types at a place of the tab. */
export interface QuickAddRequest {
  x: number
  y: number
  /** The same place in the window, for the popup. */
  client: Point
  /** The output (`port` null: the input) that the new node shall be wired to. */
  from?: { id: string; port: number | null }
  /** The wire that it shall be put into. */
  into?: Wire
}

/** The canvas as seen from the page. */
export class CanvasController {
  readonly camera = new Camera()
  wiring = $state.raw<Wiring | null>(null)
  placing = $state.raw<Placing | null>(null)
  lasso = $state.raw<Rect | null>(null)
  /** The wire that what is dropped now would be put into. */
  spliceInto = $state.raw<WireCell | null>(null)
  /** The node that arrow keys start from and that is read out. */
  focused = $state<string | null>(null)
  /** A sentence to read out. */
  message = $state('')
  element: HTMLElement | null = null
  /** Where the menu was opened last, until the next press: what it pastes comes there. */
  menuAt: Point | null = null
  readonly #views = new Map<string, View>()
  #shownTab = ''

  /** The place of a point of the window on the tab. */
  fromClient(client: Point): Point {
    const box = this.element?.getBoundingClientRect()
    return this.camera.toTab({ x: client.x - (box?.left ?? 0), y: client.y - (box?.top ?? 0) })
  }

  /** The place of a point of the tab in the window. */
  toClient(point: Point): Point {
    const box = this.element?.getBoundingClientRect()
    const view = this.camera.toView(point)
    return { x: view.x + (box?.left ?? 0), y: view.y + (box?.top ?? 0) }
  }

  /** Hangs a node of this type on the pointer: the next click or tap on the canvas places it, Esc forgets it. */
  startPlacing(type: string, set: Record<string, Json> = {}): void {
    const nodeType = editor.typeOf({ id: '', type })
    const item = { ...freshItem(nodeType, ''), ...set }
    const size = nodeSize({
      labelWidth: labelWidth(labelOf(item, nodeType)),
      outputs: outputsOf(item, nodeType),
      labelled: true,
    })
    this.cancel()
    this.placing = { type: nodeType, size, at: null, into: null, set }
  }

  /** Moves what {@link startPlacing} began. */
  movePlacing(point: Point, free = false): void {
    if (!this.placing) return
    const { type, size, set } = this.placing
    const at = free ? point : snapped(point, size)
    const item = freshItem(type, '')
    const fits = inputsOf(item, type) > 0 && outputsOf(item, type) > 0
    this.placing = { type, size, set, at, into: fits ? wireUnder(editor.graph, at) : null }
  }

  /** Places the node that is being placed and answers its id. */
  finishPlacing(point: Point, free = false): string | null {
    this.movePlacing(point, free)
    const placing = this.placing
    this.placing = null
    if (!placing?.at) return null
    if (!editor.get(editor.tab)) editor.addTab()
    const options = { set: placing.set, ...(placing.into ? { into: placing.into.wire } : {}) }
    const id = editor.addNode(placing.type.type, placing.at.x, placing.at.y, options)
    this.focused = id
    this.focus()
    return id
  }

  /** Puts a node of this type into the middle of the view, beside what is there already. */
  placeInView(type: string, set: Record<string, Json> = {}): string {
    this.startPlacing(type, set)
    const size = this.placing?.size ?? { w: 100, h: 30 }
    let at = snapped(this.camera.centre, size)
    const taken = (): boolean => editor.graph.nodesIn(rectOf({ ...at, ...size }, 4)).length > 0
    for (let tries = 0; tries < 40 && taken(); tries += 1) at = { x: at.x, y: at.y + 40 }
    this.placing = null
    const id = editor.addNode(type, at.x, at.y, { set })
    this.reveal(id)
    return id
  }

  /** Breaks off whatever gesture is under way. */
  cancel(): void {
    this.wiring = null
    this.placing = null
    this.lasso = null
    this.spliceInto = null
  }

  /** Asks for a node at a place: on the grid, and where it is wired to something, with that end at the place. */
  quickAddAt(at: Point, client: Point, from?: { id: string; port: number | null }): QuickAddRequest {
    const aside = from ? (from.port === null ? -60 : 60) : 0
    const place = snapped({ x: at.x + aside, y: at.y }, { w: 120, h: 30 })
    return from ? { ...place, client, from } : { ...place, client }
  }

  /** Gives the canvas the focus, so that keys go to it. */
  focus(): void {
    this.element?.focus({ preventScroll: true })
  }

  /** Opens the tab of a node, selects it and brings it into view. */
  reveal(id: string): void {
    if (!editor.reveal(id)) return
    this.showTab()
    const cell = editor.graph.nodes.get(id)
    if (cell) this.camera.reveal(rectOf(cell.box))
    this.focused = id
  }

  zoomIn(): void {
    this.camera.zoomTo(this.camera.zoom * 1.25)
  }

  zoomOut(): void {
    this.camera.zoomTo(this.camera.zoom / 1.25)
  }

  zoomReset(): void {
    this.camera.zoomTo(1)
  }

  /** Shows the whole tab. */
  zoomFit(): void {
    this.camera.fit(editor.graph.bounds())
  }

  /** Takes over the open tab: each tab keeps its view, a new one shows its beginning. */
  showTab(): void {
    if (editor.tab === this.#shownTab) return
    if (this.#shownTab) this.#views.set(this.#shownTab, this.camera.view)
    this.#shownTab = editor.tab
    this.cancel()
    this.focused = null
    const view = this.#views.get(editor.tab)
    if (view) this.camera.restore(view)
    else this.#showBeginning()
  }

  #showBeginning(): void {
    const bounds = editor.graph.bounds()
    this.camera.restore({ x: 0, y: 0, zoom: 1 })
    if (!bounds) return
    const { width, height } = this.camera
    if (bounds.right < width && bounds.bottom < height && bounds.left > 0 && bounds.top > 0) return
    if (bounds.right - bounds.left < width * 1.6 && bounds.bottom - bounds.top < height * 1.6) this.camera.fit(bounds)
    else this.camera.restore({ x: bounds.left - 40, y: bounds.top - 40, zoom: 1 })
  }
}

/** The canvas of this page. */
export const canvas = new CanvasController()
