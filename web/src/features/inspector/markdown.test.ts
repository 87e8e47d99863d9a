import { describe, expect, it } from 'vitest'
import { inlines, markdown } from './markdown'

describe('inlines', () => {
  it('reads bold, italic, code and links', () => {
    expect(inlines('a **b** `c*d*` _e_ [f](https://x.org)')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'strong', text: 'b' },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'c*d*' },
      { kind: 'text', text: ' ' },
      { kind: 'em', text: 'e' },
      { kind: 'text', text: ' ' },
      { kind: 'link', text: 'f', href: 'https://x.org' },
    ])
  })
  it('links to nothing but the web, and leaves names with underscores alone', () => {
    expect(inlines('[x](javascript:alert)')).toEqual([{ kind: 'text', text: 'x' }])
    expect(inlines('a_b_c')).toEqual([{ kind: 'text', text: 'a_b_c' }])
  })
})

describe('markdown', () => {
  it('reads blocks', () => {
    const blocks = markdown(
      '# Title\nfirst\nsecond\n\n- a\n- b\n  more\n\n1. x\n\n```\ncode <b>\n```\n| h | i |\n|---|---|\n| 1 | 2 |',
    )
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'code', 'table'])
    expect(blocks[1]).toMatchObject({ inlines: [{ text: 'first second' }] })
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ text: 'a' }], [{ text: 'b more' }]] })
    expect(blocks[3]).toMatchObject({ ordered: true })
    expect(blocks[5]).toMatchObject({
      head: [[{ text: 'h' }], [{ text: 'i' }]],
      rows: [[[{ text: '1' }], [{ text: '2' }]]],
    })
  })
})
