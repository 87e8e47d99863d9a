/** Groups: frames that go with their members. */
import type { FlowItem } from '../api/types'
import type { Draft } from './draft'
import { nodeSize, type Size } from './geometry/node'
import { boundsOf, padded, rectOf, union, type Rect } from './geometry/rect'
import { idsOf, isGroup, isNode, numberOf, placeOf, tabOf } from './model/item'
import type { Records } from './store'

/** The room between a frame and what is in it. */
const PADDING = 20
/** Room at the top for the name. */
const NAME_HEIGHT = 16

/** How large a node is drawn; undefined when nobody knows. */
export type SizeOf = (id: string) => Size | undefined

const GUESS = nodeSize({ labelWidth: 60, outputs: 1, labelled: true })

function frameOf(item: FlowItem): Rect {
  const { x, y } = placeOf(item)
  return { left: x, top: y, right: x + numberOf(item, 'w'), bottom: y + numberOf(item, 'h') }
}

function rectOfItem(item: FlowItem, sizeOf: SizeOf): Rect {
  return isGroup(item) ? frameOf(item) : rectOf({ ...placeOf(item), ...(sizeOf(item.id) ?? GUESS) })
}

/** The frame that some members need. */
function frameAround(records: Records, ids: readonly string[], sizeOf: SizeOf, named: boolean): Rect | null {
  const rects = ids.flatMap((id) => {
    const item = records.get(id)
    return item && (isNode(item) || isGroup(item)) ? rectOfItem(item, sizeOf) : []
  })
  const bounds = boundsOf(rects)
  if (!bounds) return null
  const frame = padded(bounds, PADDING)
  return named ? { ...frame, top: frame.top - NAME_HEIGHT } : frame
}

const asFrame = (rect: Rect): { x: number; y: number; w: number; h: number } => ({
  x: rect.left,
  y: rect.top,
  w: rect.right - rect.left,
  h: rect.bottom - rect.top,
})

/** Lets the groups around these records grow where a member would stick out; those that move themselves stay. */
export function fitGroupsOf(draft: Draft, ids: readonly string[], sizeOf: SizeOf): void {
  const moved = new Set(ids)
  let groups = new Set(ids.flatMap((id) => draft.get(id)?.['g'] ?? []))
  while (groups.size > 0) {
    const outer = new Set<string>()
    for (const id of groups) {
      if (typeof id !== 'string' || moved.has(id)) continue
      const group = draft.get(id)
      const needed = group && frameAround(draft, idsOf(group, 'nodes'), sizeOf, Boolean(group['name']))
      if (!group || !needed) continue
      const frame = union(frameOf(group), needed)
      draft.update(id, asFrame(frame))
      if (typeof group['g'] === 'string') outer.add(group['g'])
    }
    groups = outer
  }
}

/** Puts records of one tab into a new group and answers whether that made sense. */
export function group(draft: Draft, id: string, ids: readonly string[], sizeOf: SizeOf, name = ''): boolean {
  const items = ids.flatMap((member) => draft.get(member) ?? []).filter((item) => isNode(item) || isGroup(item))
  const frame = frameAround(draft, ids, sizeOf, true)
  const first = items[0]
  if (!first || !frame || items.some((item) => tabOf(item) !== tabOf(first))) return false
  for (const item of items) {
    const outer = item['g']
    if (typeof outer === 'string') {
      draft.update(outer, (old) => ({ ...old, nodes: idsOf(old, 'nodes').filter((member) => member !== item.id) }))
    }
    draft.update(item.id, { g: id })
  }
  const style = { label: true }
  draft.add({ id, type: 'group', z: tabOf(first), name, style, nodes: items.map((item) => item.id), ...asFrame(frame) })
  return true
}
