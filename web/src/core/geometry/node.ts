/**
 * Where a node and its ports lie. The measures are those that flow files were drawn with, so that a flow made elsewhere
 * looks the same here: `x` and `y` are the centre, the grid is 20, a node is 30 high.
 */
import type { Point } from '../model/item'

/** The distance of the grid's lines. */
export const GRID = 20
/** The height of a node with at most two outputs. */
export const NODE_HEIGHT = 30
/** The width of the field with the icon. */
export const ICON_WIDTH = 30
/** The size of a node that hides its label. */
export const SMALL = 30
/** The size of a junction. */
export const JUNCTION = 10
const MIN_WIDTH = 100
const OUTPUT_HEIGHT = 15
const LABEL_PADDING = 50
const PORT_DISTANCE = 13

/** Width and height. */
export interface Size {
  w: number
  h: number
}

/** What the size of a node depends on. */
export interface NodeShape {
  labelWidth: number
  outputs: number
  /** Whether the label is drawn on the node. */
  labelled: boolean
  junction?: boolean
}

/** The size of a node on the canvas. */
export function nodeSize({ labelWidth, outputs, labelled, junction = false }: NodeShape): Size {
  if (junction) return { w: JUNCTION, h: JUNCTION }
  const h = Math.max(NODE_HEIGHT, outputs * OUTPUT_HEIGHT)
  if (!labelled) return { w: SMALL, h }
  return { w: Math.max(MIN_WIDTH, Math.ceil((labelWidth + LABEL_PADDING) / GRID) * GRID), h }
}

/** A box with a centre. */
export interface Box extends Point, Size {}

/** The place of the input port. */
export function inputPoint(box: Box, junction = false): Point {
  return { x: junction ? box.x : box.x - box.w / 2, y: box.y }
}

/** The place of output number `port` (from 0) of `outputs`. */
export function outputPoint(box: Box, port: number, outputs: number, junction = false): Point {
  if (junction) return { x: box.x, y: box.y }
  return { x: box.x + box.w / 2, y: box.y + (port - (outputs - 1) / 2) * PORT_DISTANCE }
}

/** A place snapped to the grid: the left edge and the centre line of the node lie on it. */
export function snapped(point: Point, size: Size): Point {
  const left = Math.round((point.x - size.w / 2) / GRID) * GRID
  return { x: left + size.w / 2, y: Math.round(point.y / GRID) * GRID }
}
