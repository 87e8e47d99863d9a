import { CompletionContext } from '@codemirror/autocomplete'
import { javascript } from '@codemirror/lang-javascript'
import { EditorState } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { completeMembers, completeRoots, syntaxFaults } from './setup'

const state = (doc: string) => EditorState.create({ doc, extensions: javascript() })
const at = (doc: string) => new CompletionContext(state(doc), doc.length, false)

describe('completion', () => {
  it('offers members after a dot', () => {
    const found = completeMembers(at('node.st'))
    expect(found?.from).toBe(5)
    expect(found?.options.map((one) => one.label)).toContain('status')
    expect(completeMembers(at('other.st'))).toBeNull()
  })
  it('offers the given names', () => {
    expect(completeRoots(at('m'))?.options.map((one) => one.label)).toContain('msg')
    expect(completeRoots(at('x.m'))).toBeNull()
  })
})

describe('syntaxFaults', () => {
  it('marks what does not parse', () => {
    expect(syntaxFaults(state('return msg'), 'no')).toEqual([])
    expect(syntaxFaults(state('if (msg. {'), 'no').length).toBeGreaterThan(0)
  })
})
