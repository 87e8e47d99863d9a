/** Lining up and spreading the selected nodes. */
import { aligned, distributed, type Alignment } from '../core/geometry/arrange'
import type { Box } from '../core/geometry/node'
import type { Point } from '../core/model/item'
import { t, type TextKey } from '../i18n/t.svelte'
import { editor } from '../state/editor.svelte'
import type { NodeCell } from '../state/graph.svelte'
import type { Action } from './action'

const cells = (): NodeCell[] => editor.selection.nodes.flatMap((id) => editor.graph.nodes.get(id) ?? [])

function arrange(label: TextKey, moves: (boxes: Box[]) => Point[]): void {
  const nodes = cells()
  const shifts = moves(nodes.map((cell) => cell.box))
  editor.change(t(label), (draft) => {
    nodes.forEach((cell, index) => {
      const shift = shifts[index]
      if (shift && (shift.x !== 0 || shift.y !== 0)) draft.update(cell.id, { x: cell.x + shift.x, y: cell.y + shift.y })
    })
  })
}

function align(alignment: Alignment, label: TextKey): Action {
  return {
    id: `arrange.${alignment}`,
    label,
    when: () => cells().length > 1,
    run: () => {
      arrange('undo.align', (boxes) => aligned(boxes, alignment))
    },
  }
}

function distribute(axis: 'x' | 'y', label: TextKey): Action {
  return {
    id: axis === 'x' ? 'arrange.across' : 'arrange.down',
    label,
    when: () => cells().length > 2,
    run: () => {
      arrange('undo.distribute', (boxes) => distributed(boxes, axis))
    },
  }
}

/** The actions of this group. */
export const arrangeActions: Action[] = [
  align('left', 'action.alignLeft'),
  align('centre', 'action.alignCentre'),
  align('right', 'action.alignRight'),
  align('top', 'action.alignTop'),
  align('middle', 'action.alignMiddle'),
  align('bottom', 'action.alignBottom'),
  distribute('x', 'action.distributeAcross'),
  distribute('y', 'action.distributeDown'),
]
