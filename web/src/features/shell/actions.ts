/** The page's own actions, next to those of the canvas: deploy, import, export, panels. */
import type { Action } from '../../actions/action'
import { registerActions, registerKeys } from '../../actions/registry'
import { canvas } from '../../canvas/controller.svelte'
import { deploy } from '../../state/deploy.svelte'
import { editor } from '../../state/editor.svelte'
import { settings } from '../../state/settings.svelte'
import { shell } from './shell.svelte'

const actions: Action[] = [
  {
    id: 'deploy.run',
    label: 'deploy.button',
    icon: 'rocket',
    when: () => editor.loaded && editor.changeCount > 0 && !deploy.busy,
    run: () => void deploy.run(),
  },
  { id: 'deploy.changes', label: 'deploy.changesTitle', icon: 'list', run: () => (shell.changesOpen = true) },
  { id: 'flows.import', label: 'import.title', icon: 'upload', run: () => (shell.importOpen = true) },
  { id: 'flows.export', label: 'export.title', icon: 'download', run: () => (shell.exportOpen = true) },
  { id: 'flows.problems', label: 'problem.title', icon: 'triangle-alert', run: () => (shell.problemsOpen = true) },
  {
    id: 'panel.palette',
    label: 'shell.palette',
    icon: 'panel-left',
    run: () => (settings.leftOpen = !settings.leftOpen),
  },
  {
    id: 'panel.right',
    label: 'shell.panel',
    icon: 'panel-right',
    run: () => (settings.rightOpen = !settings.rightOpen),
  },
  { id: 'panel.debug', label: 'debug.title', icon: 'bug', run: () => settings.show('debug') },
  { id: 'panel.broker', label: 'broker.title', icon: 'antenna', run: () => settings.show('broker') },
  { id: 'panel.config', label: 'config.title', icon: 'settings', run: () => settings.show('config') },
  { id: 'node.quickAdd', label: 'quickadd.title', icon: 'circle-plus', run: quickAdd },
  { id: 'help.shortcuts', label: 'shell.shortcuts', icon: 'keyboard', run: () => (shell.shortcutsOpen = true) },
  { id: 'help.actions', label: 'shell.actions', icon: 'terminal', run: () => (shell.actionsOpen = true) },
  { id: 'help.about', label: 'shell.about', icon: 'info', run: () => (shell.aboutOpen = true) },
]

function quickAdd(): void {
  const { x, y } = canvas.camera.centre
  shell.quickAdd = { x, y, client: canvas.toClient({ x, y }) }
}

/** Makes the page's actions known, with their keys. */
export function registerShellActions(): void {
  registerActions(actions)
  registerKeys('mod+s', 'deploy.run', { everywhere: true })
  registerKeys('mod+i', 'flows.import')
  registerKeys('mod+e', 'flows.export')
  registerKeys('mod+b', 'panel.palette')
  registerKeys('mod+j', 'panel.right')
  registerKeys('mod+shift+p', 'help.actions', { everywhere: true })
  registerKeys('?', 'help.shortcuts')
}
