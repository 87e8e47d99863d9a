/** Rules of the switch node, each with a row of values: hand-picked ones, and random ones from a fixed seed. */
export function* cases() {
  const values = ['', 'a', 'abc', 'ABC', '1', '1.0', ' 7 ', '10', '9', 'true', 'null', '[1]', '{"a":1}', 'é', '😀', '\uffee', 0, 1, -1, 7, 9.5, NaN, Infinity, true, false, null, undefined, [], [1], ['a'], [1, 2], [[1], null], {}, { a: 1 }, { length: 0 }, Buffer.from(''), Buffer.from('abc'), Buffer.from('7'), new Date(7), 10n, /a/g]
  const messages = values.map((payload) => ({ payload, other: '7' }))
  const rule = (...rules) => [{ property: 'payload', rules }, messages]
  const operands = [['a', 'str'], ['7', 'num'], ['7', undefined], ['', undefined], ['x', undefined], ['true', 'bool'], ['other', 'msg'], ['payload', 'msg'], ['none', 'msg'], ['x', 'num'], [undefined, undefined], ['', 'prev'], ['none', 'flow']]
  for (const t of ['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'cont', 'hask'])
    for (const [v, vt] of operands) yield rule({ t, v, vt })
  for (const v of ['abc', 'true', '[object Object]', '1', 'length', '0', 'a']) yield rule({ t: 'eq', v, vt: 'str' }, { t: 'cont', v, vt: 'str' }, { t: 'hask', v, vt: 'str' }, { t: 'lt', v, vt: 'str' })
  for (const [v, v2] of [['1', '9'], ['9', '1'], ['a', 'b'], ['', '7'], ['x', undefined]]) yield rule({ t: 'btwn', v, v2 }, { t: 'btwn', v, vt: 'num', v2, v2t: 'num' }, { t: 'btwn', v, vt: 'str', v2, v2t: 'str' }, { t: 'btwn', v: 'other', vt: 'msg', v2: '', v2t: 'prev' })
  for (const v of ['^a', 'B', '\\d', '(', '', '.', undefined]) yield rule({ t: 'regex', v, vt: 'str' }, { t: 'regex', v, vt: 'str', case: true }, { t: 'else' })
  yield rule({ t: 'regex', v: 'other', vt: 'msg' }, { t: 'regex', v: 'payload', vt: 'msg', case: true })
  for (const v of ['string', 'number', 'boolean', 'array', 'buffer', 'object', 'json', 'undefined', 'null']) yield rule({ t: 'istype', v, vt: v }, { t: 'istype', v })
  yield rule({ t: 'true' }, { t: 'false' }, { t: 'null' }, { t: 'nnull' })
  yield rule({ t: 'empty' }, { t: 'nempty' }, { t: 'else' })
  yield rule({ t: 'gt', v: '5', vt: 'num' }, { t: 'else' }, { t: 'lt', v: '2', vt: 'num' }, { t: 'else' })
  yield [{ property: 'payload', checkall: 'false', rules: [{ t: 'gt', v: '5', vt: 'num' }, { t: 'gt', v: '0', vt: 'num' }, { t: 'else' }] }, messages]
  yield rule()
  yield rule({ t: 'nonsense', v: '1' })
  yield [{ property: 'payload.a', rules: [{ t: 'eq', v: '1', vt: 'num' }, { t: 'null' }] }, messages]
  yield [{ property: 'none', propertyType: 'flow', rules: [{ t: 'null' }] }, messages.slice(0, 2)]
  yield [{ rules: [{ t: 'null' }, { t: 'else' }] }, messages.slice(0, 2)]
  yield [{ property: 'payload', rules: [{ t: 'head', v: '2', vt: 'num' }, { t: 'index', v: '1', vt: 'num', v2: '2', v2t: 'num' }, { t: 'else' }] }, [{}, { parts: {} }, ...[0, 1, 2, 3, '1'].map((index) => ({ payload: index, parts: { id: 'x', index } }))]]
  yield [{ property: 'payload', rules: [{ t: 'tail', v: '2', vt: 'num' }, { t: 'else' }] }, [0, 1, 2, 3].map((index) => ({ payload: index, parts: { id: 'x', index, count: 4 } }))]
  yield [{ property: 'payload', rules: [{ t: 'tail', v: '1', vt: 'num' }] }, [{}, { parts: { id: 1, index: 0 } }, { parts: { id: 2, index: 0, count: 1 } }, { parts: { id: 1, index: 1, count: 2 } }]]

  // Random values against random operands.
  let seed = 20240501
  const random = (below) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % below
  const pick = (list) => list[random(list.length)]
  const scalar = () => pick([() => random(20) - 10, () => random(1000) / 8, () => String(random(20)), () => pick(['a', 'b', 'ab', 'B', '', ' ', '-1', '0x5', '1e1', 'NaN', 'é', '😀a']), () => pick([true, false, null, undefined])])()
  const value = (depth = 0) => (depth > 2 || random(3) > 0 ? scalar() : random(2) ? Array.from({ length: random(3) }, () => value(depth + 1)) : Object.fromEntries(Array.from({ length: random(3) }, () => [pick(['a', 'b', '1', 'length']), value(depth + 1)])))
  const random_messages = Array.from({ length: 60 }, () => ({ payload: value(), o: value() }))
  for (const t of ['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'cont', 'hask', 'btwn'])
    yield [{ property: 'payload', rules: [{ t, v: 'o', vt: 'msg', v2: 'payload', v2t: 'msg' }, { t, v: pick(['3', '0', '-2.5']), vt: 'num', v2: 'o', v2t: 'msg' }, { t, v: pick(['a', '1', '']), vt: 'str', v2: '5', v2t: 'num' }, { t, v: 'o.a', vt: 'msg', v2: 'o', v2t: 'msg' }] }, random_messages]
}
