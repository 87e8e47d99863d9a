/** Undo, the clipboard, deleting. */
import { removeAndReconnect } from '../core/graph'
import { t } from '../i18n/t.svelte'
import { canvas } from '../canvas/controller.svelte'
import { editor } from '../state/editor.svelte'
import type { Action } from './action'

const somethingSelected = (): boolean => !editor.selection.empty
const nodesSelected = (): boolean => editor.selection.nodes.length > 0

/** Puts text on the system's clipboard where the page may: only over https or on this machine. */
function share(text: string): void {
  if (!window.isSecureContext) return
  navigator.clipboard.writeText(text).catch(() => {
    // A refusal is no loss: the editor keeps a copy of its own.
  })
}

async function pasteFromSystem(): Promise<void> {
  let text: string | undefined
  if (window.isSecureContext) text = await navigator.clipboard.readText().catch(() => undefined)
  const at = canvas.menuAt ?? canvas.camera.centre
  if (!text || editor.paste(text, at) === null) editor.paste(undefined, at)
}

/** The actions of this group. */
export const editActions: Action[] = [
  {
    id: 'edit.undo',
    label: 'action.undo',
    icon: 'undo-2',
    when: () => editor.canUndo,
    run: () => {
      editor.undo()
    },
  },
  {
    id: 'edit.redo',
    label: 'action.redo',
    icon: 'redo-2',
    when: () => editor.canRedo,
    run: () => {
      editor.redo()
    },
  },
  {
    id: 'edit.cut',
    label: 'action.cut',
    icon: 'scissors',
    when: nodesSelected,
    run: () => {
      share(editor.cut())
    },
  },
  {
    id: 'edit.copy',
    label: 'action.copy',
    icon: 'copy',
    when: nodesSelected,
    run: () => {
      share(editor.copy())
    },
  },
  {
    id: 'edit.paste',
    label: 'action.paste',
    icon: 'clipboard-paste',
    run: () => {
      void pasteFromSystem()
    },
  },
  {
    id: 'edit.duplicate',
    label: 'action.duplicate',
    when: nodesSelected,
    run: () => {
      editor.duplicate()
    },
  },
  {
    id: 'edit.delete',
    label: 'action.delete',
    icon: 'trash-2',
    when: somethingSelected,
    run: () => {
      editor.removeSelection()
    },
  },
  {
    id: 'edit.deleteReconnect',
    label: 'action.deleteReconnect',
    when: nodesSelected,
    run: () => {
      editor.change(t('undo.deleteReconnect'), (draft) => {
        removeAndReconnect(draft, new Set(editor.selection.nodes))
      })
    },
  },
]
