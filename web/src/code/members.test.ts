import { describe, expect, it } from 'vitest'
import { membersOf } from './members'

describe('membersOf', () => {
  it('knows the objects of a function', () => {
    expect(membersOf('node').map((one) => one.label)).toContain('status')
    expect(membersOf('context.flow').map((one) => one.label)).toEqual(['get', 'set', 'keys'])
    expect(membersOf('RED.util').map((one) => one.label)).toContain('cloneMessage')
  })
  it('offers nothing for others', () => {
    expect(membersOf('constructor')).toEqual([])
    expect(membersOf('x.y')).toEqual([])
  })
})
