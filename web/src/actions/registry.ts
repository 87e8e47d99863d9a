/**
 * All actions by id, and the keys that lead to them.
 *
 * The page adds its own with {@link registerActions}: the shell's (deploy, search, panels) know parts that lie above
 * this folder.
 */
import type { Action } from './action'
import { arrangeActions } from './arrange'
import { editActions } from './edit'
import { keysOf, matches, parseKeys, type Keys } from './keys'
import defaultKeymap from './keymap.json'
import { nodeActions } from './node'
import { selectionActions } from './selection'
import { viewActions } from './view'
import { isWriting } from './writing'

export { isWriting }

interface Shortcut {
  keys: Keys
  text: string
  action: string
  /** Works while somebody writes in a field, too. */
  everywhere: boolean
  /** The browser acts on it by itself; it is only shown. */
  native: boolean
}

const actions = new Map<string, Action>()
const shortcuts: Shortcut[] = []

/** Adds actions; one with an id that is there replaces it. */
export function registerActions(list: readonly Action[]): void {
  for (const action of list) actions.set(action.id, action)
}

/** Adds a shortcut: `registerKeys('mod+s', 'deploy.run', { everywhere: true })`. */
export function registerKeys(text: string, action: string, { everywhere = false, native = false } = {}): void {
  shortcuts.push({ keys: parseKeys(text), text, action, everywhere, native })
}

/** All actions in the order in which they were added. */
export function allActions(): Action[] {
  return [...actions.values()]
}

/** An action by its id. */
export function actionOf(id: string): Action | undefined {
  return actions.get(id)
}

/** Whether an action can be done now. */
export function canRun(action: Action): boolean {
  return action.when?.() ?? true
}

/** Does an action, if it can be done now. Answers whether it was. */
export function runAction(id: string): boolean {
  const action = actions.get(id)
  if (!action || !canRun(action)) return false
  action.run()
  return true
}

/** The first shortcut of an action as it is shown in menus: `Ctrl+Z`. */
export function shortcutText(id: string): string | undefined {
  const shortcut = shortcuts.find(({ action }) => action === id)
  return shortcut ? keysOf(shortcut.text) : undefined
}

/** Does what a key stands for; call it for keys that nothing else took. Answers whether it was a shortcut. */
export function handleShortcut(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing) return false
  const writing = isWriting(event.target)
  for (const shortcut of shortcuts) {
    if (shortcut.native || (writing && !shortcut.everywhere) || !matches(shortcut.keys, event)) continue
    if (!runAction(shortcut.action)) continue
    event.preventDefault()
    return true
  }
  return false
}

registerActions([...editActions, ...nodeActions, ...selectionActions, ...arrangeActions, ...viewActions])
for (const { keys, action, native } of defaultKeymap as { keys: string; action: string; native?: boolean }[]) {
  registerKeys(keys, action, { native: native ?? false })
}
