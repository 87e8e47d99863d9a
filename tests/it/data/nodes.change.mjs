/** Rules of the change node, each with a row of values. */
export function* cases() {
  const values = ['abc', 'ab$c', '', 'true', 'false', '12', '1.5 and 1.5', 'a.b.c', 'aXbX', 12, 1.5, 0, NaN, true, false, null, undefined, [1, 'a'], { a: 'abc', b: { c: 1 } }, Buffer.from('abc'), new Date(7)]
  const messages = values.map((payload) => ({ payload, topic: 'abc', n: 12, o: { x: [1, 2] } }))
  // A name on an array, Buffer or Date is what Flowrill's can't have.
  const named = messages.filter(({ payload }) => !Array.isArray(payload) && !(payload instanceof Date))
  const plain = named.filter(({ payload }) => !Buffer.isBuffer(payload))
  const rule = (more) => [{ rules: [{ p: 'payload', pt: 'msg', ...more }] }, messages]
  // set
  for (const [to, tot] of [['x', 'str'], ['12', 'num'], ['x', 'num'], ['true', 'bool'], ['no', 'bool'], ['{"a":[1]}', 'json'], ['[1,2]', 'bin'], ['"ab"', 'bin'], ['5', 'bin'], ['topic', 'msg'], ['o.x[1]', 'msg'], ['o.y.z', 'msg'], ['nothing', 'msg'], ['x', 'flow'], ['x..', 'msg'], ['a', undefined], ['msg.topic', undefined], ['payload.length', 'msg']]) {
    yield rule({ t: 'set', to, tot })
    yield [{ rules: [{ t: 'set', p: 'payload.a.b', pt: 'msg', to, tot }] }, plain]
  }
  for (const p of ['o.x[5]', 'o.x[0].y', 'o["a b"].c[0]', 'payload[0]', 'payload.length', 'o[msg.topic]', 'o[msg.nothing]', 'a..b', 'topic.x', 'n.x', 'msg.payload', 'new[2].x'])
    yield [{ rules: [{ t: 'set', p, pt: 'msg', to: '1', tot: 'num' }] }, named]
  // change
  for (const [from, fromt] of [['a', 'str'], ['abc', 'str'], ['', 'str'], ['.', 'str'], ['X', 'str'], ['12', 'num'], ['1.50', 'num'], ['1.5', 'num'], ['true', 'bool'], ['false', 'bool'], ['[a-b]', 're'], ['(.)(b)', 're'], ['^', 're'], ['(', 're'], ['topic', 'msg'], ['n', 'msg'], ['payload', 'env'], ['b', undefined]])
    for (const [to, tot] of [['[$&]', 'str'], ['$1$$', 'str'], ['7', 'num'], ['true', 'bool'], ['{"a":1}', 'json'], ['topic', 'msg'], ['o', 'msg'], ['nothing', 'msg']])
      yield rule({ t: 'change', from, fromt, to, tot })
  yield rule({ t: 'change', from: '[a-b]', re: true, to: 'x' })
  yield [{ rules: [{ t: 'change', p: 'payload.a', pt: 'msg', from: 'b', fromt: 'str', to: 'x', tot: 'str' }] }, messages]
  // delete and move
  for (const p of ['payload', 'payload.a', 'payload[0]', 'o.x[0]', 'nothing.x', 'a..b', 'o[msg.topic]'])
    yield [{ rules: [{ t: 'delete', p, pt: 'msg' }] }, messages]
  for (const [p, to] of [['payload', 'topic'], ['payload', 'payload.a'], ['payload.a', 'payload'], ['o.x', 'o'], ['o', 'o.y'], ['payload', 'payload'], ['nothing', 'topic'], ['payload.b.c', 'n.x'], ['o.x[0]', 'first'], ['topic', 'top']])
    yield [{ rules: [{ t: 'move', p, pt: 'msg', to, tot: 'msg' }] }, messages]
  yield [{ rules: [{ t: 'move', p: 'o', pt: 'msg', to: 'kept.o', tot: 'flow' }] }, messages.slice(0, 2)]
  yield [{ rules: [{ t: 'set', p: 'x', pt: 'flow', to: 'o', tot: 'msg', dc: true }, { t: 'move', p: 'x.x', pt: 'flow', to: 'moved', tot: 'msg' }] }, messages.slice(0, 2)]
  yield [{ rules: [{ t: 'set', p: 'k[msg.topic].v', pt: 'flow', to: 'payload', tot: 'msg' }, { t: 'set', p: 'back', pt: 'msg', to: 'k[msg.topic]', tot: 'flow' }] }, messages.slice(0, 3)]
  yield [{ rules: [{ t: 'set', p: 's', pt: 'flow', to: 'a-b-c', tot: 'str' }, { t: 'change', p: 's', pt: 'flow', from: '-', fromt: 'str', to: '+', tot: 'str' }, { t: 'delete', p: 'none', pt: 'flow' }] }, messages.slice(0, 1)]
  yield [{ rules: [{ t: 'set', p: 's', pt: 'flow', to: '5', tot: 'num' }, { t: 'change', p: 's', pt: 'flow', from: '5', fromt: 'num', to: 'true', tot: 'bool' }] }, messages.slice(0, 1)]
  yield [{ rules: [{ t: 'set', p: 'x', to: 'nested[msg.nothing]', tot: 'flow' }] }, messages.slice(0, 1)]
  // Several rules, and the form of early flows.
  yield [{ rules: [{ t: 'set', p: 'a', to: 'payload', tot: 'msg' }, { t: 'delete', p: 'payload' }, { t: 'move', p: 'a', to: 'b.c', tot: 'msg' }] }, messages]
  yield [{ rules: [] }, messages.slice(0, 1)]
  for (const old of [{ action: 'replace', property: 'payload', to: 'x' }, { action: 'set', property: 'payload', to: 'msg.topic' }, { action: 'change', property: 'payload', from: 'a.', to: 'x', reg: false }, { action: 'change', property: 'payload', from: 'a.', to: 'x', reg: true }, { action: 'change', property: 'payload', from: 'a.', to: 'x', reg: null }, { action: 'delete', property: 'payload' }])
    yield [old, messages]
}
