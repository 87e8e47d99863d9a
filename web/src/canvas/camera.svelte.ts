/** Which part of a tab the canvas shows, and how large. */
import type { Rect } from '../core/geometry/rect'
import { union } from '../core/geometry/rect'
import type { Point } from '../core/model/item'

/** The least and the most zoom. */
export const ZOOM_RANGE = { min: 0.1, max: 3 } as const
/** Below this nodes are too small to work with; they are only drawn. */
export const FAR_ZOOM = 0.35

/** The drawing window is this much larger than the view and moves in steps of it, so that panning rarely changes it. */
const WINDOW_STEP = 200

/** What the camera remembers of a tab. */
export interface View {
  x: number
  y: number
  zoom: number
}

/** The camera. `x` and `y` are the tab coordinates of the view's corner at the top left. */
export class Camera {
  x = $state(0)
  y = $state(0)
  zoom = $state(1)
  /** The view's size in pixels; 0 until it was measured. */
  width = $state(0)
  height = $state(0)

  readonly #left = $derived.by(() => Math.floor(this.x / WINDOW_STEP - 1) * WINDOW_STEP)
  readonly #top = $derived.by(() => Math.floor(this.y / WINDOW_STEP - 1) * WINDOW_STEP)
  readonly #right = $derived.by(() => Math.ceil((this.x + this.width / this.zoom) / WINDOW_STEP + 1) * WINDOW_STEP)
  readonly #bottom = $derived.by(() => Math.ceil((this.y + this.height / this.zoom) / WINDOW_STEP + 1) * WINDOW_STEP)

  /** The area to draw: the view with some room around it. */
  readonly window: Rect = $derived.by(() => ({
    left: this.#left,
    top: this.#top,
    right: this.#right,
    bottom: this.#bottom,
  }))

  readonly far = $derived.by(() => this.zoom < FAR_ZOOM)

  /** The tab coordinates of a point of the view. */
  toTab(point: Point): Point {
    return { x: this.x + point.x / this.zoom, y: this.y + point.y / this.zoom }
  }

  /** Where a point of the tab is in the view. */
  toView(point: Point): Point {
    return { x: (point.x - this.x) * this.zoom, y: (point.y - this.y) * this.zoom }
  }

  /** The tab coordinates of the middle of the view. */
  get centre(): Point {
    return this.toTab({ x: this.width / 2, y: this.height / 2 })
  }

  /** Moves the view by pixels. */
  panBy(dx: number, dy: number): void {
    this.x += dx / this.zoom
    this.y += dy / this.zoom
  }

  /** Zooms so that what is at a point of the view stays there. */
  zoomTo(zoom: number, at: Point = { x: this.width / 2, y: this.height / 2 }): void {
    const fixed = this.toTab(at)
    this.zoom = Math.min(ZOOM_RANGE.max, Math.max(ZOOM_RANGE.min, zoom))
    this.x = fixed.x - at.x / this.zoom
    this.y = fixed.y - at.y / this.zoom
  }

  /** Shows all of an area, no larger than it is. */
  fit(area: Rect | null, margin = Math.min(60, this.width * 0.06)): void {
    if (!area) {
      this.restore({ x: 0, y: 0, zoom: 1 })
      return
    }
    const width = Math.max(area.right - area.left, 1)
    const height = Math.max(area.bottom - area.top, 1)
    const room = (size: number): number => Math.max(size - 2 * margin, 50)
    this.zoom = Math.max(ZOOM_RANGE.min, Math.min(1, room(this.width) / width, room(this.height) / height))
    this.#centreOn({ x: (area.left + area.right) / 2, y: (area.top + area.bottom) / 2 })
  }

  /** Brings an area into view if it isn't, and no further than needed. */
  reveal(area: Rect, margin = 40): void {
    const view = {
      left: this.x,
      top: this.y,
      right: this.x + this.width / this.zoom,
      bottom: this.y + this.height / this.zoom,
    }
    const room = margin / this.zoom
    const wanted = {
      left: area.left - room,
      top: area.top - room,
      right: area.right + room,
      bottom: area.bottom + room,
    }
    const all = union(view, wanted)
    if (all.left < view.left) this.x = wanted.left
    else if (all.right > view.right) this.x += all.right - view.right
    if (all.top < view.top) this.y = wanted.top
    else if (all.bottom > view.bottom) this.y += all.bottom - view.bottom
  }

  /** The present view, to come back to. */
  get view(): View {
    return { x: this.x, y: this.y, zoom: this.zoom }
  }

  restore({ x, y, zoom }: View): void {
    this.x = x
    this.y = y
    this.zoom = zoom
  }

  #centreOn(point: Point): void {
    this.x = point.x - this.width / this.zoom / 2
    this.y = point.y - this.height / this.zoom / 2
  }
}
