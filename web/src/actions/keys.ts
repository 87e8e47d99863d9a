/** Shortcuts as text (`mod+shift+z`; `mod` is Ctrl, on Apple devices Cmd) and as they are pressed. */

/** A shortcut, taken apart. */
export interface Keys {
  key: string
  mod: boolean
  shift: boolean
  alt: boolean
}

const isApple = (): boolean => /Mac|iPhone|iPad/.test(navigator.userAgent)

/** Reads a shortcut. The last part is the key; `+` itself may be it. */
export function parseKeys(text: string): Keys {
  const parts = text.toLowerCase().split(/\+(?!$)/)
  const key = parts.at(-1) ?? ''
  const held = new Set(parts.slice(0, -1))
  return { key, mod: held.has('mod'), shift: held.has('shift'), alt: held.has('alt') }
}

/** Whether these keys were pressed. Signs are compared by what they give, digits and letters by their key too. */
export function matches(keys: Keys, event: KeyboardEvent): boolean {
  if (keys.mod !== (event.ctrlKey || event.metaKey) || keys.alt !== event.altKey) return false
  const isSign = /^[^a-z0-9]$/.test(keys.key)
  if (!isSign && keys.shift !== event.shiftKey) return false
  const code = event.code.replace(/^(Key|Digit)/, '').toLowerCase()
  return event.key.toLowerCase() === keys.key || (!isSign && keys.key.length === 1 && code === keys.key)
}

const NAMES: Partial<Record<string, string>> = { delete: 'Del', backspace: '⌫', enter: '↵', escape: 'Esc' }

/** A shortcut as it is shown: `Ctrl+Shift+Z`, on Apple devices `⇧⌘Z`. */
export function keysOf(text: string): string {
  const { key, mod, shift, alt } = parseKeys(text)
  const name = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key)
  if (isApple()) return `${alt ? '⌥' : ''}${shift ? '⇧' : ''}${mod ? '⌘' : ''}${name}`
  return [mod && 'Ctrl', alt && 'Alt', shift && 'Shift', name].filter(Boolean).join('+')
}
