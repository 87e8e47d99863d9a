import { describe, expect, it } from 'vitest'
import { changeLines } from './changes'

describe('changeLines', () => {
  it('lists each change once, those of secrets too', () => {
    const changes = { added: new Set(['a']), changed: new Set(['b']), removed: new Set(['c']), reordered: false }
    const item = (id: string) => ({ id, type: 'x' })
    const lines = changeLines(changes, ['a', 'b', 'd'], item, item)
    expect(lines.map((line) => `${line.kind} ${line.id}`)).toEqual(['added a', 'changed b', 'changed d', 'removed c'])
  })
})
