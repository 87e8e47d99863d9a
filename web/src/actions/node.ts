/** What can be done with the selected nodes themselves. */
import { isLabelled } from '../core/catalog'
import { ungroup } from '../core/edit'
import { group } from '../core/groups'
import { isGroup, isNode, newId } from '../core/model/item'
import type { FlowItem } from '../api/types'
import { t } from '../i18n/t.svelte'
import { editor } from '../state/editor.svelte'
import type { Action } from './action'

const selected = (): FlowItem[] => editor.selection.nodes.flatMap((id) => editor.get(id) ?? [])
const selectedNodes = (): FlowItem[] => selected().filter(isNode)
const selectedGroups = (): FlowItem[] => selected().filter(isGroup)

/** Switches nodes on or off; on is the state without the property, as in files. */
function setDisabled(disabled: boolean): void {
  editor.change(t(disabled ? 'undo.disable' : 'undo.enable'), (draft) => {
    for (const { id } of selected()) draft.update(id, { d: disabled ? true : undefined })
  })
}

/** The actions of this group. */
export const nodeActions: Action[] = [
  {
    id: 'node.edit',
    label: 'action.edit',
    icon: 'pencil',
    when: () => editor.selection.nodes.length === 1,
    run: () => {
      editor.editing = editor.selection.nodes[0] ?? null
    },
  },
  {
    id: 'node.disable',
    label: 'action.disable',
    icon: 'ban',
    when: () => selected().some((item) => item['d'] !== true),
    run: () => {
      setDisabled(true)
    },
  },
  {
    id: 'node.enable',
    label: 'action.enable',
    icon: 'power',
    when: () => selected().some((item) => item['d'] === true),
    run: () => {
      setDisabled(false)
    },
  },
  {
    id: 'node.toggleLabel',
    label: 'action.toggleLabel',
    icon: 'tag',
    when: () => selectedNodes().length > 0,
    run: () => {
      const nodes = selectedNodes()
      const show = nodes.some((item) => !isLabelled(item))
      editor.change(t('undo.label'), (draft) => {
        for (const { id } of nodes) draft.update(id, { l: show })
      })
    },
  },
  {
    id: 'node.group',
    label: 'action.group',
    icon: 'group',
    when: () => editor.selection.nodes.length > 0,
    run: () => {
      const id = newId()
      const ids = [...editor.selection.nodes]
      const made = editor.change(t('undo.group'), (draft) =>
        group(draft, id, ids, (member) => editor.graph.nodes.get(member)?.size),
      )
      if (made) editor.select([id])
    },
  },
  {
    id: 'node.ungroup',
    label: 'action.ungroup',
    icon: 'ungroup',
    when: () => selectedGroups().length > 0,
    run: () => {
      const ids = selectedGroups().map((item) => item.id)
      editor.change(t('undo.ungroup'), (draft) => {
        ungroup(draft, ids)
      })
    },
  },
]
