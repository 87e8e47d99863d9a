/** Ranges, each with a row of values. */
export function* cases() {
  const values = [0, 1, 5, -3, 12.75, '7', ' 8 ', '0x10', '', null, true, 'x', [3], [1, 2], {}, Buffer.from('4'), new Date(9), NaN, Infinity, undefined, -0]
  for (const action of ['scale', 'clamp', 'roll', 'drop'])
    for (const round of [false, true])
      for (const [minin, maxin, minout, maxout] of [['0', '10', '0', '100'], ['10', '0', '0', '100'], ['0', '10', '5.5', '-5.5'], ['5', '5', '0', '1'], ['-1', '1', '0.25', '0.75'], ['a', '1', '0', '1']])
        yield [{ action, round, minin, maxin, minout, maxout, property: 'payload' }, values.map((payload) => ({ payload }))]
  yield [{ minin: '0', maxin: '1', minout: '0', maxout: '2', property: 'a.b' }, [{ a: { b: 1 } }, { a: {} }, { a: 1 }, {}]]
}
