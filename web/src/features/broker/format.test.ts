import { expect, test } from 'vitest'
import { age, rate, sparkline } from './format'

test('ages', () => {
  const now = 1_000_000_000
  const ages = [0, 5, 65, 7_300, 200_000].map((seconds) => age(now - seconds * 1000, now))
  expect(ages).toEqual(['now', '5 s', '1 min', '2 h', '2 d'])
  expect(age(now + 5_000, now)).toBe('now')
})

test('rates fall when nothing comes', () => {
  expect([rate(12.4, 0, 0), rate(1.25, 0, 0), rate(1, 0, 60_000)]).toEqual(['12/s', '1.3/s', ''])
})

test('lines', () => {
  expect(sparkline([1], 10, 10)).toBe('')
  expect(sparkline([1, 2, 1.5], 10, 10)).toBe('M0.0 9.0L5.0 1.0L10.0 5.0')
  expect(sparkline([3, 3], 10, 10)).toBe('M0.0 5.0L10.0 5.0')
})
