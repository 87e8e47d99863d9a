import { describe, expect, it } from 'vitest'
import { matchesFilter, suggestTopics } from './topics'

describe('matchesFilter', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', '$SYS/x', false],
    ['a/b/c', 'a/b', false],
  ])('%s %s', (filter, topic, yes) => {
    expect(matchesFilter(filter, topic)).toBe(yes)
  })
})

describe('suggestTopics', () => {
  it('puts beginnings first', () => {
    const seen = (topic: string) => ({ topic, payload: '', retained: false, time: 0 })
    const all = [seen('x/home'), seen('home/b'), seen('home/a'), seen('other')]
    expect(suggestTopics(all, 'home').map((one) => one.topic)).toEqual(['home/a', 'home/b', 'x/home'])
  })
})
