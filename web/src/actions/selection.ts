/** Selecting by rule, and following wires. */
import { reachable, type Direction } from '../core/graph'
import type { TextKey } from '../i18n/t.svelte'
import { editor } from '../state/editor.svelte'
import type { Action } from './action'

function follow(direction: Direction, label: TextKey): Action {
  return {
    id: `select.${direction}`,
    label,
    when: () => editor.selection.nodes.length > 0,
    run: () => {
      const items = Array.from(editor.graph.nodes.values(), (cell) => cell.item)
      editor.select(reachable(items, editor.selection.nodes, direction))
    },
  }
}

/** The actions of this group. */
export const selectionActions: Action[] = [
  {
    id: 'select.all',
    label: 'action.selectAll',
    icon: 'scan',
    run: () => {
      editor.select([...editor.graph.nodes.keys(), ...editor.graph.groups.map((group) => group.id)])
    },
  },
  {
    id: 'select.none',
    label: 'action.selectNone',
    when: () => !editor.selection.empty,
    run: () => {
      editor.clearSelection()
    },
  },
  follow('upstream', 'action.selectUpstream'),
  follow('downstream', 'action.selectDownstream'),
  follow('connected', 'action.selectConnected'),
]
