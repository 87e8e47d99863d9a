import { beforeEach, describe, expect, it } from 'vitest'
import { debug, holdsText, MOST_ENTRIES } from './debug.svelte'

beforeEach(() => {
  debug.paused = false
  debug.clear()
})

describe('debug', () => {
  it('knows warnings and errors', () => {
    debug.add([{ msg: 'a' }, { msg: 'b', level: 30 }, { msg: 'c', level: 20 }])
    expect(debug.entries.map((entry) => entry.level)).toEqual(['output', 'warning', 'error'])
    expect(debug.unseen).toBe(1)
  })

  it('keeps a thousand', () => {
    debug.add(Array.from({ length: MOST_ENTRIES + 20 }, (_, n) => ({ msg: String(n) })))
    debug.add([{ msg: 'last' }])
    expect(debug.entries).toHaveLength(MOST_ENTRIES)
    expect(debug.entries.at(-1)?.data.msg).toBe('last')
  })

  it('holds entries back while paused', () => {
    debug.paused = true
    debug.add([{ msg: 'a' }])
    expect(debug.entries).toHaveLength(0)
    expect(debug.waiting).toBe(1)
    debug.paused = false
    expect(debug.entries).toHaveLength(1)
    expect(debug.waiting).toBe(0)
  })

  it('finds text', () => {
    debug.add([{ msg: '{"Temp":21}', topic: 'home' }])
    const [entry] = debug.entries
    expect(entry && holdsText(entry, 'temp')).toBe(true)
    expect(entry && holdsText(entry, 'HOME')).toBe(true)
    expect(entry && holdsText(entry, 'x')).toBe(false)
  })
})
