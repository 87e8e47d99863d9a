/** Forms of the records that have no node type: tabs, groups, subflows; and what all nodes have in common. */
import type { FlowItem, Json, NodeTexts, NodeType, Property } from '../../api/types'
import { isLabelled } from '../../core/catalog'
import { isConfig, isGroup, isSubflow, isTab, wiresOf } from '../../core/model/item'
import type { Values } from '../../forms/values'
import { t } from '../../i18n/t.svelte'

const env: Property = {
  name: 'env',
  kind: 'list',
  default: [],
  fields: [
    { name: 'name', kind: 'text', required: true, default: '' },
    {
      name: 'value',
      kind: 'typed',
      types: ['str', 'num', 'bool', 'json', 'bin', 'env'],
      typeProperty: 'type',
      typeDefault: 'str',
      default: '',
    },
  ],
}
const info: Property = { name: 'info', kind: 'multiline', default: '' }
const enabled: Property = { name: 'enabled', kind: 'bool', default: true }

/** The properties of a tab, group or subflow; null for a node. */
export function recordProperties(item: FlowItem): Property[] | null {
  if (isTab(item)) return [{ name: 'label', kind: 'text', default: '' }, enabled, info, env]
  if (isGroup(item))
    return [{ name: 'name', kind: 'text', default: '' }, info, env, { name: 'style', kind: 'json', advanced: true }]
  if (isSubflow(item))
    return [{ name: 'name', kind: 'text', default: '' }, { name: 'color', kind: 'colour', default: '' }, info, env]
  return null
}

/** What every node has beside the properties of its type. */
export function commonProperties(item: FlowItem): Property[] {
  if (isConfig(item)) return [enabled, info]
  return [
    enabled,
    { name: 'l', kind: 'bool', default: isLabelled(item) },
    { name: 'icon', kind: 'icon', default: '' },
    info,
  ]
}

/** The words for all of these. */
export function recordTexts(): NodeTexts {
  return {
    label: '',
    properties: {
      label: { label: t('record.name') },
      name: { label: t('record.name') },
      enabled: { label: t('record.enabled') },
      info: { label: t('record.info'), hint: t('record.infoHint') },
      env: { label: t('record.env'), hint: t('record.envHint') },
      'env.name': { label: t('record.envName') },
      'env.value': { label: t('record.envValue') },
      style: { label: t('record.style') },
      color: { label: t('record.color') },
      l: { label: t('record.showLabel') },
      icon: { label: t('record.icon') },
    },
  }
}

/** A record with `enabled` in the place of the flag that says the opposite. */
export function withEnabled(item: FlowItem): Values {
  return { ...item, enabled: item[isTab(item) ? 'disabled' : 'd'] !== true }
}

/** The change of a record for a change of its form: `enabled` becomes the flag again. */
export function fromEnabled(item: FlowItem, patch: Values): Values {
  if (!('enabled' in patch)) return patch
  const { enabled: on, ...rest } = patch
  return isTab(item) ? { ...rest, disabled: on !== true } : { ...rest, d: on === true ? undefined : true }
}

/**
 * The wires of a node whose outputs are the entries of a list, after that list changed: each wire stays with its entry.
 * Null when nothing has to change.
 */
export function wiresForList(item: FlowItem, type: NodeType, patch: Values): string[][] | null {
  const outputs = type.outputs
  if (typeof outputs !== 'object' || !('length' in outputs)) return null
  const before = item[outputs.length]
  const after = patch[outputs.length]
  if (!Array.isArray(before) || !Array.isArray(after)) return null
  const wires = wiresOf(item)
  const sameLength = before.length === after.length
  const next = after.map((entry: Json, index) => {
    const known = before.indexOf(entry)
    return wires[known >= 0 && typeof entry === 'object' ? known : sameLength ? index : -1] ?? []
  })
  return JSON.stringify(next) === JSON.stringify(wires) ? null : next
}

/** What changes besides when the list changes that the outputs are: their number, where Node-RED looks for it. */
export function countForList(type: NodeType, patch: Values): Values {
  const outputs = type.outputs
  if (typeof outputs !== 'object' || !('length' in outputs) || outputs.count === undefined) return {}
  const list = patch[outputs.length]
  return Array.isArray(list) ? { [outputs.count]: list.length } : {}
}
