/** What an action is: one thing a person can do, for menus, shortcuts and the list of actions alike. */
import type { TextKey } from '../i18n/t.svelte'
import type { IconName } from '../ui/icons'

/** An action of the editor. */
export interface Action {
  /** A name that stays, for keymaps: `edit.undo`. */
  id: string
  label: TextKey
  icon?: IconName
  /** Whether it can be done now; always without. */
  when?: () => boolean
  run: () => void
}
