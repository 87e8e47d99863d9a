/** Selecting what lies in a rectangle. */
import { rectBetween } from '../../core/geometry/rect'
import { editor } from '../../state/editor.svelte'
import { canvas } from '../controller.svelte'
import { caughtBy } from '../hit'
import { CLICK_DISTANCE, distance, type Gesture, type Pointer } from './gesture'

/** Draws a lasso until the release; with ctrl or shift it adds to the selection. A click selects nothing. */
export function lasso(start: Pointer, onclick: (pointer: Pointer) => void): Gesture {
  const adds = start.ctrl || start.shift
  const before = [...editor.selection.nodes]
  let drawn = false
  return {
    follows: true,
    move({ at, client }) {
      drawn ||= distance(client, start.client) > CLICK_DISTANCE
      if (!drawn) return
      canvas.lasso = rectBetween(start.at, at)
      const caught = caughtBy(editor.graph, canvas.lasso)
      editor.select(adds ? [...before, ...caught] : caught)
    },
    end(pointer) {
      canvas.lasso = null
      if (!drawn) onclick(pointer)
    },
    cancel() {
      canvas.lasso = null
      editor.select(before)
    },
  }
}
