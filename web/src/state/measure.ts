/** How wide a label is on the canvas. Measured once per text; without a browser's canvas a guess stands in. */

/** The font of labels on nodes; the canvas's style sheet says the same. */
export const LABEL_FONT = '13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'

const known = new Map<string, number>()
const MOST_KNOWN = 5_000
let context: CanvasRenderingContext2D | null | undefined

function browserContext(): CanvasRenderingContext2D | null {
  try {
    const found = document.createElement('canvas').getContext('2d')
    if (found) found.font = LABEL_FONT
    return found
  } catch {
    return null
  }
}

/** The width of a label in pixels at zoom 1. */
export function labelWidth(text: string): number {
  const cached = known.get(text)
  if (cached !== undefined) return cached
  if (context === undefined) context = browserContext()
  const width = context ? context.measureText(text).width : text.length * 7
  if (known.size > MOST_KNOWN) known.clear()
  known.set(text, width)
  return width
}
