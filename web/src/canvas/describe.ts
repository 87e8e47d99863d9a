/** Nodes in words: what is wrong with one, and the sentence that a screen reader says about it. */
import type { NodeType } from '../api/types'
import type { ItemProblem } from '../core/validate'
import { t } from '../i18n/t.svelte'
import type { NodeCell } from '../state/graph.svelte'
import { live } from '../state/live.svelte'

/** What is wrong, in a sentence. */
export function problemText(problem: ItemProblem, type: NodeType): string {
  const name = type.texts.properties?.[problem.property]?.label ?? problem.property
  switch (problem.code) {
    case 'missing_type':
      return t('problem.missingType', { type: type.type })
    case 'required':
      return t('problem.required', { name })
    case 'config_missing':
      return t('problem.configMissing', { name })
    case 'not_a_number':
      return t('problem.notANumber', { name })
    case 'too_small':
      return t('problem.tooSmall', { name, limit: problem.limit ?? 0 })
    case 'too_large':
      return t('problem.tooLarge', { name, limit: problem.limit ?? 0 })
  }
}

/** A node in a sentence: what it is, what it is wired to, how it is. */
export function sentence(cell: NodeCell): string {
  const incoming: string[] = []
  const outgoing: string[] = []
  for (const wire of cell.wires) {
    if (wire.to === cell) incoming.push(wire.from.label)
    else outgoing.push(wire.to.label)
  }
  const kind = cell.type.texts.label || cell.type.type
  const parts = [cell.label === kind ? kind : `${kind} ${cell.label}`]
  if (incoming.length > 0) parts.push(t('describe.from', { names: incoming.join(', ') }))
  if (outgoing.length > 0) parts.push(t('describe.to', { names: outgoing.join(', ') }))
  if (incoming.length === 0 && outgoing.length === 0) parts.push(t('describe.alone'))
  const status = live.status(cell.id)?.text
  if (status) parts.push(t('describe.status', { text: status }))
  if (cell.disabled) parts.push(t('describe.disabled'))
  if (cell.changed) parts.push(t('describe.changed'))
  parts.push(...cell.problems.map((problem) => problemText(problem, cell.type)))
  return parts.join(', ')
}
