/** What a deploy would change, item by item, for the list under the button. */
import type { FlowItem } from '../../api/types'
import type { Changes } from '../../core/diff'

/** One item of the list. */
export interface ChangeLine {
  id: string
  kind: 'added' | 'changed' | 'removed'
  item: FlowItem
}

/** The lines in the order added, changed, removed. */
export function changeLines(
  changes: Changes,
  secrets: Iterable<string>,
  now: (id: string) => FlowItem | undefined,
  deployed: (id: string) => FlowItem | undefined,
): ChangeLine[] {
  const lines = (
    kind: ChangeLine['kind'],
    ids: Iterable<string>,
    find: (id: string) => FlowItem | undefined,
  ): ChangeLine[] =>
    [...ids].flatMap((id) => {
      const item = find(id)
      return item ? [{ id, kind, item }] : []
    })
  const changed = new Set([...changes.changed, ...[...secrets].filter((id) => !changes.added.has(id))])
  return [
    ...lines('added', changes.added, now),
    ...lines('changed', changed, now),
    ...lines('removed', changes.removed, deployed),
  ]
}
