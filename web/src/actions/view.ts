/** Zoom, and going from tab to tab. */
import { canvas } from '../canvas/controller.svelte'
import { editor } from '../state/editor.svelte'
import type { Action } from './action'

function turnTab(step: 1 | -1): void {
  const tabs = editor.tabs
  const index = tabs.findIndex((tab) => tab.id === editor.tab)
  const next = tabs[(index + step + tabs.length) % tabs.length]
  if (next) editor.tab = next.id
}

/** The actions of this group. */
export const viewActions: Action[] = [
  {
    id: 'view.zoomIn',
    label: 'action.zoomIn',
    icon: 'zoom-in',
    run: () => {
      canvas.zoomIn()
    },
  },
  {
    id: 'view.zoomOut',
    label: 'action.zoomOut',
    icon: 'zoom-out',
    run: () => {
      canvas.zoomOut()
    },
  },
  {
    id: 'view.zoomReset',
    label: 'action.zoomReset',
    run: () => {
      canvas.zoomReset()
    },
  },
  {
    id: 'view.zoomFit',
    label: 'action.zoomFit',
    icon: 'maximize',
    run: () => {
      canvas.zoomFit()
    },
  },
  {
    id: 'tab.add',
    label: 'action.addTab',
    icon: 'plus',
    run: () => {
      editor.addTab()
    },
  },
  {
    id: 'tab.next',
    label: 'action.nextTab',
    when: () => editor.tabs.length > 1,
    run: () => {
      turnTab(1)
    },
  },
  {
    id: 'tab.previous',
    label: 'action.previousTab',
    when: () => editor.tabs.length > 1,
    run: () => {
      turnTab(-1)
    },
  },
]
