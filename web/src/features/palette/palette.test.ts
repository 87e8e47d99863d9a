import { describe, expect, it } from 'vitest'
import type { NodeType } from '../../api/types'
import { fit, groups, paletteId, ranked } from './palette'

const type = (name: string, category: string, summary = ''): NodeType => ({
  type: name,
  category,
  properties: [],
  texts: { label: name, summary },
})
const all = [
  type('mqtt out', 'network'),
  type('mqtt in', 'network', 'Listens to a topic'),
  type('debug', 'common'),
  type('inject', 'common'),
  type('mqtt-broker', 'config'),
]

describe('palette', () => {
  it('sorts categories and types as people know them, without config nodes', () => {
    expect(groups(all).map((group) => [group.category, group.types.map((one) => one.type)])).toEqual([
      ['common', ['inject', 'debug']],
      ['network', ['mqtt in', 'mqtt out']],
    ])
  })
  it('filters', () => {
    expect(groups(all, 'topic').flatMap((group) => group.types.map((one) => one.type))).toEqual(['mqtt in'])
    expect(fit(type('mqtt in', 'network'), 'in')).toBe(1)
    expect(fit(type('mqtt in', 'network'), 'zzz')).toBeNull()
  })
  it('ranks what was used lately first', () => {
    expect(ranked(all, '', ['mqtt out'])[0]?.type).toBe('mqtt out')
    expect(ranked(all, 'in', [])[0]?.type).toBe('inject')
  })
  it('makes test ids', () => {
    expect(paletteId('mqtt in')).toBe('palette-item-mqtt-in')
  })
})
