/** The palette's order: categories, the types in them, and which fit a typed text. */
import type { NodeType } from '../../api/types'

/** A category with its types. */
export interface PaletteGroup {
  category: string
  types: NodeType[]
}

const order = ['common', 'function', 'network', 'parser', 'sequence', 'storage', 'dashboard']
/** The order that people know, within a category; others follow by name. */
const familiar = [
  'inject',
  'debug',
  'complete',
  'catch',
  'status',
  'link in',
  'link call',
  'link out',
  'comment',
  'function',
  'switch',
  'change',
  'range',
  'template',
  'delay',
  'trigger',
  'exec',
  'rbe',
  'mqtt in',
  'mqtt out',
  'http in',
  'http response',
  'http request',
  'websocket in',
  'websocket out',
  'tcp in',
  'tcp out',
  'tcp request',
  'udp in',
  'udp out',
  'csv',
  'html',
  'json',
  'xml',
  'yaml',
  'split',
  'join',
  'sort',
  'batch',
  'file',
  'file in',
  'watch',
]

const rank = (list: readonly string[], name: string): number => {
  const at = list.indexOf(name)
  return at < 0 ? list.length : at
}

/** Whether a type can stand on the canvas. */
export const isPlaceable = (type: NodeType): boolean => type.config !== true && type.category !== 'config'

/** How well a type fits a text: 0 for the beginning of its label, higher for less, null for not at all. */
export function fit(type: NodeType, text: string): number | null {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return 0
  const label = type.texts.label.toLowerCase()
  if (label.startsWith(wanted)) return 0
  if (label.split(/[\s-]/).some((word) => word.startsWith(wanted))) return 1
  if (label.includes(wanted) || type.type.toLowerCase().includes(wanted)) return 2
  return (type.texts.summary ?? '').toLowerCase().includes(wanted) ? 3 : null
}

/** The types by category, those that fit a text only. */
export function groups(types: Iterable<NodeType>, text = ''): PaletteGroup[] {
  const found = new Map<string, NodeType[]>()
  for (const type of types) {
    if (!isPlaceable(type) || fit(type, text) === null) continue
    const list = found.get(type.category)
    if (list) list.push(type)
    else found.set(type.category, [type])
  }
  return [...found]
    .map(([category, list]) => ({
      category,
      types: list.sort(
        (a, b) => rank(familiar, a.type) - rank(familiar, b.type) || a.texts.label.localeCompare(b.texts.label),
      ),
    }))
    .sort((a, b) => rank(order, a.category) - rank(order, b.category) || a.category.localeCompare(b.category))
}

/** All types that fit a text, the best first; without a text those used lately come first. */
export function ranked(types: Iterable<NodeType>, text: string, recent: readonly string[]): NodeType[] {
  const scored = [...types].flatMap((type) => {
    const score = isPlaceable(type) ? fit(type, text) : null
    return score === null ? [] : [{ type, score }]
  })
  return scored
    .sort(
      (a, b) =>
        a.score - b.score ||
        rank(recent, a.type.type) - rank(recent, b.type.type) ||
        rank(familiar, a.type.type) - rank(familiar, b.type.type) ||
        a.type.texts.label.localeCompare(b.type.texts.label),
    )
    .map(({ type }) => type)
}

/** The test id of a palette entry: blanks as hyphens. */
export const paletteId = (type: string): string => `palette-item-${type.replaceAll(' ', '-')}`
