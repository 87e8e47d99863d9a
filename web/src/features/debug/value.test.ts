import { describe, expect, it } from 'vitest'
import { children, copyText, decode, fromJson, hasChildren, hexRows, joinPath, preview, typeName } from './value'

describe('decode', () => {
  it.each([
    ['string[5]', 'hello', '"hello"', 'string[5]'],
    ['string[2000]', 'abc...', '"abc..."', 'string[2000]'],
    ['number', '21.5', '21.5', 'number'],
    ['boolean', 'true', 'true', 'boolean'],
    ['null', '(undefined)', 'null', 'null'],
    ['undefined', '(undefined)', 'undefined', 'undefined'],
    ['buffer[3]', '010aff', '<01 0a ff>', 'buffer[3]'],
    ['array[3]', '[1,"a",null]', '[1, "a", null]', 'array[3]'],
    ['Object', '{"a":{"b":1}}', '{ a: { b: 1 } }', 'Object'],
    ['Thing', '{"a":1}', '{ a: 1 }', 'Thing'],
    ['bigint', '12', '12n', 'bigint'],
    ['regexp', '/a+/g', '/a+/g', 'regexp'],
    ['function', '', 'ƒ ()', 'function'],
    ['map', '{"__enc__":true,"type":"map","data":{"a":1}}', '{ a: 1 }', 'Map'],
    ['set[2]', '{"__enc__":true,"type":"set","data":[1,2],"length":2}', '[1, 2]', 'set[2]'],
    [
      'error',
      '{"__enc__":true,"type":"error","data":{"name":"TypeError","message":"no","stack":"at x"}}',
      'TypeError: no',
      'TypeError',
    ],
    ['error', 'plain text', 'Error: plain text', 'Error'],
    ['Object', 'not json', 'not json', 'text'],
  ])('%s %s', (format, msg, line, type) => {
    const value = decode({ msg, format })
    expect(preview(value)).toBe(line)
    expect(typeName(value)).toBe(type)
  })

  it('keeps the full length of a list that was cut', () => {
    const value = decode({ format: 'array[5000]', msg: '{"__enc__":true,"type":"array","data":[1,2],"length":5000}' })
    expect(typeName(value)).toBe('array[5000]')
    expect(preview(value)).toBe('[1, 2, …]')
  })
})

describe('fromJson', () => {
  it.each([
    [{ __enc__: true, type: 'undefined' }, 'undefined'],
    [{ __enc__: true, type: 'number', data: 'NaN' }, 'NaN'],
    [{ __enc__: true, type: 'bigint', data: '9' }, '9n'],
    [{ type: 'Buffer', data: [104, 105], __enc__: true, length: 2 }, '<68 69>'],
    [{ __enc__: true, type: 'Uint16Array', data: [1], length: 1 }, '[1]'],
    [{ type: 'Buffer', data: [1] }, '{ type: "Buffer", data: [1] }'],
    [-0, '-0'],
  ])('%j', (json, line) => {
    expect(preview(fromJson(json))).toBe(line)
  })
})

describe('children', () => {
  it('knows the path of each child', () => {
    const value = fromJson({ plain: 1, 'with blank': [1] })
    expect(children(value, 'payload').map((child) => child.path)).toEqual(['payload.plain', 'payload["with blank"]'])
  })

  it('groups long lists', () => {
    const groups = children(fromJson(Array.from({ length: 250 }, (_, index) => index)), 'payload')
    expect(groups.map((group) => group.label)).toEqual(['0 … 99', '100 … 199', '200 … 249'])
    expect(groups[2]?.range?.[49]?.path).toBe('payload[249]')
  })

  it('has none to open where nothing is inside', () => {
    expect(hasChildren(fromJson({}))).toBe(false)
    expect(hasChildren(fromJson([]))).toBe(false)
    expect(hasChildren(fromJson('short'))).toBe(false)
    expect(hasChildren(fromJson('two\nlines'))).toBe(true)
  })
})

describe('texts', () => {
  it('joins paths', () => {
    expect(joinPath('', 'payload')).toBe('payload')
    expect(joinPath('a', 0)).toBe('a[0]')
    expect(joinPath('a', 'b-c')).toBe('a["b-c"]')
  })

  it('copies strings bare and structures as JSON', () => {
    expect(copyText(fromJson('a "b"'))).toBe('a "b"')
    expect(copyText(fromJson({ a: [1, { __enc__: true, type: 'number', data: 'NaN' }] }))).toBe(
      '{\n  "a": [\n    1,\n    "NaN"\n  ]\n}',
    )
    expect(copyText(decode({ format: 'buffer[2]', msg: '0aff' }))).toBe('0aff')
  })

  it('prints bytes in rows', () => {
    expect(hexRows([72, 105, 0])).toEqual([{ offset: '0000', hex: '48 69 00', text: 'Hi·' }])
  })

  it('keeps previews short', () => {
    expect(preview(fromJson(Array.from({ length: 1000 }, () => 'x'.repeat(50)))).length).toBeLessThan(130)
  })
})
