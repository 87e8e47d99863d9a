/** What is in flow JSON that somebody wants to bring in, in numbers. */
import type { FlowItem, NodeType } from '../../api/types'
import { isConfig, isGroup, isNode, isSubflow, isSubflowInstance, isTab } from '../../core/model/item'

/** The numbers, and the types that nobody here knows. */
export interface ImportSummary {
  tabs: number
  nodes: number
  configs: number
  groups: number
  subflows: number
  unknown: string[]
}

const builtIn = new Set(['tab', 'group', 'subflow', 'junction', 'global-config'])

/** Counts what is in these records. */
export function summarise(items: readonly FlowItem[], catalog: ReadonlyMap<string, NodeType>): ImportSummary {
  const unknown = new Set<string>()
  for (const item of items) {
    if (!builtIn.has(item.type) && !isSubflowInstance(item) && !catalog.has(item.type)) unknown.add(item.type)
  }
  const count = (test: (item: FlowItem) => boolean): number => items.filter(test).length
  return {
    tabs: count(isTab),
    nodes: count(isNode),
    configs: count(isConfig),
    groups: count(isGroup),
    subflows: count(isSubflow),
    unknown: [...unknown].sort(),
  }
}
