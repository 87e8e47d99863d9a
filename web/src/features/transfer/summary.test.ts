import type { NodeType } from '../../api/types'
import { describe, expect, it } from 'vitest'
import { summarise } from './summary'

describe('summarise', () => {
  it('counts kinds and names unknown types', () => {
    const items = [
      { id: 't', type: 'tab', label: 'a' },
      { id: 'n', type: 'inject', z: 't', x: 1, y: 1, wires: [] },
      { id: 'g', type: 'ui_gauge', z: 't', x: 1, y: 1, wires: [] },
      { id: 'b', type: 'mqtt-broker' },
    ]
    const known = (type: string): NodeType => ({ type, category: 'common', properties: [], texts: { label: type } })
    const catalog = new Map(['inject', 'mqtt-broker'].map((type) => [type, known(type)]))
    expect(summarise(items, catalog)).toEqual({
      tabs: 1,
      nodes: 2,
      configs: 1,
      groups: 0,
      subflows: 0,
      unknown: ['ui_gauge'],
    })
  })
})
