/** What the shell has open: dialogs and menus. Actions open them, App draws them. */
import type { QuickAddRequest } from '../../canvas/controller.svelte'

class Shell {
  importOpen = $state(false)
  importText = $state('')
  exportOpen = $state(false)
  changesOpen = $state(false)
  problemsOpen = $state(false)
  discardOpen = $state(false)
  shortcutsOpen = $state(false)
  aboutOpen = $state(false)
  actionsOpen = $state(false)
  quickAdd = $state.raw<QuickAddRequest | null>(null)
  menu = $state.raw<{ id: string; client: { x: number; y: number } } | null>(null)
}

/** The shell of the page. */
export const shell = new Shell()
