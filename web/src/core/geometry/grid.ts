/** A coarse grid that knows which things lie where, so that drawing and hitting look at what is near only. */
import { overlaps, type Rect } from './rect'

const CELL = 400

/** Things with a rectangle, found by a rectangle. */
export class SpatialGrid<Thing> {
  readonly #cells = new Map<string, Set<Thing>>()
  readonly #rects = new Map<Thing, Rect>()

  /** Puts a thing in, or moves it. */
  set(thing: Thing, rect: Rect): void {
    this.delete(thing)
    this.#rects.set(thing, rect)
    for (const key of keysOf(rect)) {
      const cell = this.#cells.get(key)
      if (cell) cell.add(thing)
      else this.#cells.set(key, new Set([thing]))
    }
  }

  /** Takes a thing out. */
  delete(thing: Thing): void {
    const rect = this.#rects.get(thing)
    if (!rect) return
    this.#rects.delete(thing)
    for (const key of keysOf(rect)) {
      const cell = this.#cells.get(key)
      cell?.delete(thing)
      if (cell?.size === 0) this.#cells.delete(key)
    }
  }

  /** Takes everything out. */
  clear(): void {
    this.#cells.clear()
    this.#rects.clear()
  }

  /** The rectangle that a thing was put in with. */
  rect(thing: Thing): Rect | undefined {
    return this.#rects.get(thing)
  }

  /** The rectangles of all things. */
  rects(): Iterable<Rect> {
    return this.#rects.values()
  }

  /** The things whose rectangle overlaps this one, in no order. */
  query(area: Rect): Set<Thing> {
    const found = new Set<Thing>()
    const test = (thing: Thing): void => {
      const rect = this.#rects.get(thing)
      if (rect && overlaps(rect, area)) found.add(thing)
    }
    const columns = Math.floor(area.right / CELL) - Math.floor(area.left / CELL) + 1
    const rows = Math.floor(area.bottom / CELL) - Math.floor(area.top / CELL) + 1
    if (columns * rows > this.#cells.size) {
      for (const thing of this.#rects.keys()) test(thing)
      return found
    }
    for (const key of keysOf(area)) for (const thing of this.#cells.get(key) ?? []) test(thing)
    return found
  }
}

function* keysOf(rect: Rect): Generator<string> {
  for (let column = Math.floor(rect.left / CELL); column <= Math.floor(rect.right / CELL); column += 1) {
    for (let row = Math.floor(rect.top / CELL); row <= Math.floor(rect.bottom / CELL); row += 1)
      yield `${column},${row}`
  }
}
