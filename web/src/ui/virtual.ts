/** Which rows of a long list are in view. */

/** Rows `from` up to, without, `to` are drawn; `before` is the height above them, `total` that of all. */
export interface VisibleRange {
  from: number
  to: number
  before: number
  total: number
}

/** How much is drawn beyond the edges of the view, in pixels, so that scrolling shows no gaps. */
const MARGIN = 300

/** The rows to draw for a view of `height` pixels at `scrollTop`. */
export function visibleRange(
  count: number,
  heightOf: (index: number) => number,
  scrollTop: number,
  height: number,
): VisibleRange {
  let total = 0
  let from = -1
  let to = count
  let before = 0
  for (let index = 0; index < count; index += 1) {
    const rowHeight = heightOf(index)
    if (from < 0 && total + rowHeight > scrollTop - MARGIN) {
      from = index
      before = total
    }
    if (to === count && total > scrollTop + height + MARGIN) to = index
    total += rowHeight
  }
  if (from < 0) return { from: count, to: count, before: total, total }
  return { from, to, before, total }
}
