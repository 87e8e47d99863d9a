import { expect, test, vi } from 'vitest'
import type { TextKey } from '../i18n/t.svelte'
import { editor } from '../state/editor.svelte'
import { keysOf, matches, parseKeys } from './keys'
import {
  actionOf,
  allActions,
  handleShortcut,
  registerActions,
  registerKeys,
  runAction,
  shortcutText,
} from './registry'
import keymap from './keymap.json'

const press = (key: string, init: KeyboardEventInit = {}): KeyboardEvent =>
  new KeyboardEvent('keydown', { key, cancelable: true, ...init })

test('every key of the keymap leads to an action', () => {
  expect(keymap.map(({ action }) => action).filter((id) => !actionOf(id))).toEqual([])
  expect(new Set(allActions().map((action) => action.id)).size).toBe(allActions().length)
})

test('shortcuts are read, matched and shown', () => {
  expect(parseKeys('mod++')).toEqual({ key: '+', mod: true, shift: false, alt: false })
  expect(matches(parseKeys('mod+z'), press('z', { ctrlKey: true }))).toBe(true)
  expect(matches(parseKeys('mod+z'), press('Z', { ctrlKey: true, shiftKey: true }))).toBe(false)
  expect(matches(parseKeys('mod++'), press('+', { ctrlKey: true, shiftKey: true }))).toBe(true)
  expect(matches(parseKeys('mod+z'), press('я', { ctrlKey: true, code: 'KeyZ' }))).toBe(true)
  expect(keysOf('mod+shift+z')).toBe('Ctrl+Shift+Z')
  expect(shortcutText('edit.copy')).toBe('Ctrl+C')
})

test('a shortcut runs its action, unless somebody writes or it can not be done', () => {
  const run = vi.fn()
  let possible = true
  registerActions([{ id: 'test.run', label: 'action.undo' satisfies TextKey, when: () => possible, run }])
  registerKeys('mod+k', 'test.run')
  expect(handleShortcut(press('k', { ctrlKey: true }))).toBe(true)
  possible = false
  expect(handleShortcut(press('k', { ctrlKey: true }))).toBe(false)
  possible = true
  const field = document.createElement('input')
  document.body.append(field)
  field.addEventListener('keydown', (event) => handleShortcut(event))
  field.dispatchEvent(press('k', { ctrlKey: true }))
  expect(run).toHaveBeenCalledTimes(1)
})

test('actions change the flows', () => {
  editor.load(
    [
      { id: 't', type: 'tab', label: 'One' },
      { id: 'a', type: 'inject', z: 't', x: 100, y: 100, wires: [['b']] },
      { id: 'b', type: 'function', z: 't', x: 310, y: 120, wires: [['c']] },
      { id: 'c', type: 'debug', z: 't', x: 500, y: 100, wires: [] },
    ],
    'r',
  )
  editor.select(['b'])
  expect(runAction('node.disable')).toBe(true)
  expect(editor.get('b')).toMatchObject({ d: true })
  expect(runAction('node.enable')).toBe(true)
  expect(editor.get('b')).not.toHaveProperty('d')
  expect(runAction('arrange.left')).toBe(false)
  runAction('select.connected')
  expect(editor.selection.nodes).toHaveLength(3)
  runAction('arrange.top')
  expect(editor.get('b')).toMatchObject({ y: 100 })
  runAction('node.group')
  const [group] = editor.selection.nodes
  expect(editor.get(group ?? '')).toMatchObject({ type: 'group', nodes: ['b', 'c', 'a'] })
  runAction('node.ungroup')
  editor.select(['b'])
  runAction('edit.deleteReconnect')
  expect(editor.get('a')).toMatchObject({ wires: [['c']] })
  while (editor.canUndo) runAction('edit.undo')
  expect(editor.changeCount).toBe(0)
})
