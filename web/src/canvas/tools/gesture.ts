/** What happens between a press and its release. Each gesture is a small machine of its own in this folder. */
import type { Point } from '../../core/model/item'

/** The pointer, in the coordinates of the tab and of the window. */
export interface Pointer {
  at: Point
  client: Point
  /** Held keys. `free` (alt) leaves the grid aside. */
  ctrl: boolean
  shift: boolean
  free: boolean
  touch: boolean
}

/** A gesture under way. */
export interface Gesture {
  /** The view follows when the pointer comes to its edge. */
  follows?: boolean
  move(pointer: Pointer): void
  /** The pointer was released. */
  end(pointer: Pointer): void
  /** Broken off: everything is as before. */
  cancel(): void
}

/** A pointer that moved less than this (in pixels of the window) has clicked. */
export const CLICK_DISTANCE = 4

/** The distance between two points. */
export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)
