/** Modes of the filter node, each with a row of values. */
export function* cases() {
  const values = [1, 1, '1', 2.5, 2, '2', 12, '12 °C', -1, 0, null, null, {}, {}, [], {}, { a: [1] }, { a: [1] }, { a: [2] }, true, 'x', '', NaN, NaN, 'Infinity', 20, 21, 19.5, [5], Buffer.from('7'), new Date(0), new Date(5), undefined, 5]
  const messages = (add = {}) => values.map((payload) => ({ payload, ...add }))
  for (const func of ['rbe', 'rbei']) {
    yield [{ func }, messages()]
    yield [{ func }, messages({ topic: 'a' })]
    yield [{ func, property: 'a.b', topi: 'k' }, [{ a: { b: 1 }, k: 1 }, { a: { b: 1 }, k: 1 }, { a: { b: 1 }, k: 2 }, { a: 5 }, {}]]
    yield [{ func }, [{ payload: {} }, { payload: { a: 1 } }, { payload: 5 }, { payload: {} }, { payload: 5 }]]
    yield [{ func }, [{ topic: 'a', payload: 1 }, { topic: 'b', payload: 1 }, { topic: 'a', reset: true }, { topic: 'a', payload: 1 }, { topic: 'b', payload: 1 }, { reset: 0, payload: 1, topic: 'b' }, { reset: '' }, { topic: 'a', payload: 1 }]]
    yield [{ func, septopics: false }, [{ topic: 'a', payload: 1 }, { topic: 'b', payload: 1 }, { topic: 'a', reset: true }, { topic: 'c', payload: 1 }]]
  }
  for (const func of ['deadband', 'deadbandEq', 'narrowband', 'narrowbandEq'])
    for (const gap of ['', '0', '1', '5', '10%', '0.5%', 'x'])
      for (const inout of ['in', 'out'])
        for (const start of func.startsWith('n') ? ['', '2', 'y'] : [''])
          yield [{ func, gap, inout, start }, messages()]
}
