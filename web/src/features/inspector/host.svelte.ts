/** What the fields of a node's form get from the editor. */
import { getTopics } from '../../api/http'
import type { FormHost, NodeChoice } from '../../forms/host'
import { labelOf } from '../../core/catalog'
import { isNode, tabOf } from '../../core/model/item'
import { editor } from '../../state/editor.svelte'
import { settings } from '../../state/settings.svelte'
import { inspector, labelFor } from './stack.svelte'

const byLabel = (a: NodeChoice, b: NodeChoice): number => a.label.localeCompare(b.label)

/** The surroundings of the form of a record. */
export function formHost(subject: () => string): FormHost {
  return {
    configNodes: (type) =>
      editor
        .configNodes(type)
        .map((item) => ({ id: item.id, label: labelFor(item.id), type }))
        .sort(byLabel),
    userCount: (id) => editor.usersOf(id).length,
    canCreate: (type) => editor.catalog.has(type),
    createConfig: (type, use) => void inspector.createConfig(type, use),
    openConfig: (id) => inspector.push(id),
    nodesHere: (types) => {
      const own = editor.get(subject())
      const tab = own ? tabOf(own) : editor.tab
      // Links lead to other tabs; what catch, status and complete nodes hear is on their own.
      const everywhere = types?.some((type) => type.startsWith('link ')) ?? false
      return editor.items
        .filter(
          (item) =>
            isNode(item) &&
            (everywhere || tabOf(item) === tab) &&
            item.id !== subject() &&
            (!types || types.includes(item.type)),
        )
        .map((item) => ({
          id: item.id,
          label: labelOf(item, editor.typeOf(item)),
          type: tabOf(item) === tab ? item.type : labelFor(tabOf(item)),
        }))
        .sort(byLabel)
    },
    topics: getTopics,
    get wide() {
      return settings.wide
    },
    setWide: (wide) => (settings.wide = wide),
  }
}
