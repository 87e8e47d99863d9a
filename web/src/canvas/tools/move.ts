/**
 * Moving nodes and groups. While the pointer moves only the cells do; the release makes it one change.
 *
 * A single node without wires that is dropped on a wire is put into it.
 */
import { moveBy } from '../../core/edit'
import { GRID, snapped } from '../../core/geometry/node'
import { fitGroupsOf } from '../../core/groups'
import { groupMembers, splice } from '../../core/graph'
import type { Point } from '../../core/model/item'
import { t } from '../../i18n/t.svelte'
import { editor } from '../../state/editor.svelte'
import type { GroupCell, NodeCell } from '../../state/graph.svelte'
import { canvas } from '../controller.svelte'
import { wireUnder } from '../hit'
import { CLICK_DISTANCE, distance, type Gesture, type Pointer } from './gesture'

/** The nodes and groups that move when the selection does: the members of groups move with them. */
export function movingCells(): (NodeCell | GroupCell)[] {
  const ids = new Set(editor.selection.nodes.flatMap((id) => [id, ...groupMembers(editor.store, id)]))
  const groups = editor.graph.groups.filter((group) => ids.has(group.id))
  return [...groups, ...[...ids].flatMap((id) => editor.graph.nodes.get(id) ?? [])]
}

/** Carries out a move of the selection as one step. */
export function commitMove(ids: readonly string[], dx: number, dy: number, options: { merge?: string } = {}): void {
  const label = t('undo.move', { count: ids.length })
  editor.change(
    label,
    (draft) => {
      moveBy(draft, ids, dx, dy)
      fitGroupsOf(draft, ids, (id) => editor.graph.nodes.get(id)?.size)
    },
    options,
  )
}

/** Moves the selection; `lead` is what was pressed and what the grid catches. */
export function move(start: Pointer, lead: NodeCell | GroupCell, onclick: (pointer: Pointer) => void): Gesture {
  let cells: (NodeCell | GroupCell)[] = []
  let origins: Point[] = []
  let shift: Point = { x: 0, y: 0 }
  let moving = false
  const origin = { x: lead.x, y: lead.y }

  function begin(): void {
    moving = true
    cells = movingCells()
    origins = cells.map(({ x, y }) => ({ x, y }))
    for (const cell of cells) if ('inputs' in cell) editor.graph.moving.add(cell)
  }

  function place(dx: number, dy: number): void {
    shift = { x: dx, y: dy }
    cells.forEach((cell, index) => {
      const from = origins[index]
      if (!from) return
      cell.x = from.x + dx
      cell.y = from.y + dy
    })
  }

  function wireToSplice(): void {
    const [only] = cells
    const fits = cells.length === 1 && only && 'inputs' in only && only.wires.size === 0
    canvas.spliceInto = fits && only.inputs > 0 && only.outputs > 0 ? wireUnder(editor.graph, only) : null
  }

  function release(): void {
    editor.graph.moving.clear()
    canvas.spliceInto = null
  }

  return {
    follows: true,
    move(pointer) {
      if (!moving && distance(pointer.client, start.client) <= CLICK_DISTANCE) return
      if (!moving) begin()
      const isNode = 'size' in lead
      const wanted = { x: origin.x + pointer.at.x - start.at.x, y: origin.y + pointer.at.y - start.at.y }
      const step = pointer.free ? 1 : GRID
      const to = isNode && !pointer.free ? snapped(wanted, lead.size) : null
      // A group goes in whole steps, so that what is in it stays on the grid.
      const stepped = (from: number, target: number): number => Math.round((target - from) / step) * step
      if (to) place(to.x - origin.x, to.y - origin.y)
      else place(stepped(origin.x, wanted.x), stepped(origin.y, wanted.y))
      wireToSplice()
    },
    end(pointer) {
      if (!moving) {
        onclick(pointer)
        return
      }
      const into = canvas.spliceInto
      const ids = cells.map((cell) => cell.id)
      release()
      if (shift.x === 0 && shift.y === 0) return
      const mark = editor.history.mark()
      commitMove(ids, shift.x, shift.y)
      const [id] = ids
      if (into && id !== undefined) {
        editor.change(t('undo.splice'), (draft) => {
          splice(draft, into.wire, id)
        })
        editor.history.squash(mark, t('undo.splice'))
      }
    },
    cancel() {
      if (moving) place(0, 0)
      release()
    },
  }
}
