/** The entries of a menu. */
import type { IconName } from './icons'

/** One line of a menu. */
export interface MenuItem {
  id: string
  label?: string
  /** A second line in small print. */
  hint?: string
  icon?: IconName
  shortcut?: string
  disabled?: boolean
  danger?: boolean
  /** For one of several to choose from: whether it is the one. */
  checked?: boolean
  /** Words above the entries that follow; nothing else but `label` counts then. */
  heading?: boolean
  /** A line between entries; nothing else counts then. */
  separator?: boolean
  /** The test id, if not `menu-` and the id. */
  testid?: string
  run?: () => void
}
