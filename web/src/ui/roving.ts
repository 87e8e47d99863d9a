/** Arrow keys within a row of tabs or a menu: which entry gets the focus next. */

/**
 * The index that a key leads to, or -1 when the key is none of ours.
 *
 * `axis` says which arrows count; Home and End always do. Entries for which `skip` says yes are passed over.
 */
export function rove(
  key: string,
  index: number,
  count: number,
  axis: 'x' | 'y',
  skip: (index: number) => boolean = () => false,
): number {
  const [back, forth] = axis === 'x' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown']
  const [start, step] =
    key === forth
      ? [index + 1, 1]
      : key === back
        ? [index - 1, -1]
        : key === 'Home'
          ? [0, 1]
          : key === 'End'
            ? [count - 1, -1]
            : [0, 0]
  if (step === 0 || count === 0) return -1
  for (let tried = 0; tried < count; tried += 1) {
    const candidate = (((start + step * tried) % count) + count) % count
    if (!skip(candidate)) return candidate
  }
  return -1
}
