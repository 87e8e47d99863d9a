import { describe, expect, it } from 'vitest'
import type { Property } from '../api/types'
import { faultOf, freshEntry, holds, isTopic, moved, settled, typeOf, valueOf } from './values'

const number: Property = { name: 'count', kind: 'number', default: 3, min: 1, max: 5 }

describe('values', () => {
  it('falls back to the default', () => {
    expect(valueOf(number, {})).toBe(3)
    expect(valueOf(number, { count: '' })).toBe('')
  })

  it('knows the type of a typed value', () => {
    const typed: Property = {
      name: 'to',
      kind: 'typed',
      types: ['msg', 'str'],
      typeProperty: 'tot',
      typeDefault: 'str',
    }
    expect(typeOf(typed, {})).toBe('str')
    expect(typeOf(typed, { tot: 'msg' })).toBe('msg')
  })

  it('makes entries of a list', () => {
    expect(freshEntry(undefined)).toBe('')
    expect(
      freshEntry([
        { name: 't', kind: 'select', default: 'eq' },
        { name: 'v', kind: 'typed', default: '', fresh: 'x', typeProperty: 'vt', typeDefault: 'str' },
      ]),
    ).toEqual({ t: 'eq', v: 'x', vt: 'str' })
  })

  it('moves entries', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  })
})

describe('holds', () => {
  const siblings: Property[] = [
    { name: 'mode', kind: 'select', default: 'auto' },
    { name: 'on', kind: 'bool', default: false },
  ]
  it('compares as text, with defaults', () => {
    expect(holds(undefined, {}, siblings)).toBe(true)
    expect(holds({ mode: 'auto' }, {}, siblings)).toBe(true)
    expect(holds({ mode: ['a', 'b'] }, { mode: 'b' }, siblings)).toBe(true)
    expect(holds({ on: 'true' }, { on: true }, siblings)).toBe(true)
    expect(holds({ on: 'true', mode: 'auto' }, {}, siblings)).toBe(false)
  })
})

describe('faultOf', () => {
  it.each([
    [number, { count: 'x' }, 'number'],
    [number, { count: 0 }, 'min'],
    [number, { count: 9 }, 'max'],
    [number, { count: '' }, undefined],
    [number, { count: '${COUNT}' }, undefined],
    [{ name: 'a', kind: 'text', required: true }, { a: ' ' }, 'required'],
    [{ name: 'a', kind: 'config', required: true, type: 'b' }, {}, 'required'],
    [{ name: 'a', kind: 'list', required: true }, { a: [] }, 'required'],
    [{ name: 'a', kind: 'topic' }, { a: 'home/+/x/#' }, undefined],
    [{ name: 'a', kind: 'topic' }, { a: 'home/#/x' }, 'topic'],
    [{ name: 'a', kind: 'typed', typeProperty: 'at' }, { a: '{', at: 'json' }, 'json'],
    [{ name: 'a', kind: 'typed', typeProperty: 'at' }, { a: 'q', at: 'num' }, 'number'],
    [{ name: 'a', kind: 'code', language: 'json' }, { a: '{}' }, undefined],
  ] as [Property, Record<string, string | number>, string | undefined][])('%o %o %s', (property, values, code) => {
    expect(faultOf(property, values)?.code).toBe(code)
  })

  it('knows topics', () => {
    expect(isTopic('a/b')).toBe(true)
    expect(isTopic('a+/b')).toBe(false)
  })

  it('gives a field that comes into view a type that it offers', () => {
    const value = { name: 'v', kind: 'typed', typeProperty: 'vt' }
    const fields: Property[] = [
      { name: 't', kind: 'select', options: ['eq', 'head', 'istype', 'else'], fresh: 'eq' },
      { ...value, types: ['str', 'num'], when: { t: 'eq' }, fresh: '', typeFresh: 'str' },
      { ...value, types: ['num'], when: { t: 'head' } },
      { name: 'v', kind: 'select', options: ['array', 'null'], typeProperty: 'vt', when: { t: 'istype' } },
    ]
    expect(freshEntry(fields)).toEqual({ t: 'eq', v: '', vt: 'str' })
    const equal = { t: 'eq', v: '5', vt: 'str' }
    const to = (t: string) => settled(fields, equal, { ...equal, t })
    expect(to('head')).toEqual({ t: 'head', v: '5', vt: 'num' })
    expect(to('istype')).toEqual({ t: 'istype', v: 'array', vt: 'array' })
    expect(to('else')).toEqual({ t: 'else', v: '5', vt: 'str' })
    expect(settled(fields, to('istype'), equal)).toEqual(equal)
    expect(settled(fields, { t: 'eq' }, { t: 'eq', v: 'x' })).toEqual({ t: 'eq', v: 'x' })
  })
})
