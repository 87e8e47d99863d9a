/** The words of a property: from the node's texts, for a field of a list by `list.field` or by its own name. */
import type { NodeTexts, Property, PropertyTexts } from '../api/types'
import { t } from '../i18n/t.svelte'
import type { Fault } from './values'

/** Label, hint and placeholder of a property; without a label its name stands. */
export function textsOf(property: Property, texts: NodeTexts, parent?: string): PropertyTexts & { label: string } {
  const all = texts.properties ?? {}
  const own = (parent === undefined ? undefined : all[`${parent}.${property.name}`]) ?? all[property.name] ?? {}
  return { ...own, label: own.label ?? property.name }
}

/** The words for the options of a select. */
export function optionsOf(property: Property, texts: NodeTexts, parent?: string): Record<string, string> | undefined {
  const all = texts.options ?? {}
  return (parent === undefined ? undefined : all[`${parent}.${property.name}`]) ?? all[property.name]
}

/** A sentence for what is wrong with a value. */
export function faultText(fault: Fault): string {
  switch (fault.code) {
    case 'required':
      return t('forms.fault.required')
    case 'number':
      return t('forms.fault.number')
    case 'min':
      return t('forms.fault.min', { limit: fault.limit })
    case 'max':
      return t('forms.fault.max', { limit: fault.limit })
    case 'json':
      return t('forms.fault.json', { detail: fault.detail })
    case 'topic':
      return t('forms.fault.topic')
  }
}
