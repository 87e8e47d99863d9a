/**
 * The part of Markdown that help and descriptions use, as a tree that is drawn without any HTML from the text:
 * headings, paragraphs, lists, code, tables; bold, italic, code and links.
 */

/** A piece of a line. */
export type Inline =
  { kind: 'text' | 'code' | 'strong' | 'em'; text: string } | { kind: 'link'; text: string; href: string }

/** A block. */
export type Block =
  | { kind: 'heading'; level: number; inlines: Inline[] }
  | { kind: 'paragraph'; inlines: Inline[] }
  | { kind: 'list'; ordered: boolean; items: Inline[][] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }

const INLINE =
  /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])[*_]([^*_\s](?:[^*_]*[^*_\s])?)[*_](?!\w)|\[([^\]]+)\]\(([^)\s]+)\)/g

/** Only addresses of the web are links; anything else stays text. */
const isSafe = (href: string): boolean => /^https?:\/\//i.test(href)

/** Reads one line. */
export function inlines(text: string): Inline[] {
  const found: Inline[] = []
  let at = 0
  const plain = (until: number): void => {
    if (until > at) found.push({ kind: 'text', text: text.slice(at, until) })
  }
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, em, label, href] = match
    plain(match.index)
    at = match.index + whole.length
    if (code !== undefined) found.push({ kind: 'code', text: code })
    else if (strong !== undefined) found.push({ kind: 'strong', text: strong })
    else if (em !== undefined) found.push({ kind: 'em', text: em })
    else if (label !== undefined && href !== undefined) {
      found.push(isSafe(href) ? { kind: 'link', text: label, href } : { kind: 'text', text: label })
    }
  }
  plain(text.length)
  return found
}

const cells = (line: string): Inline[][] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => inlines(cell.trim()))

const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/
const HEADING = /^(#{1,6})\s+(.*)$/
const begins = (line: string): boolean =>
  line.trim() === '' || HEADING.test(line) || ITEM.test(line) || /^\s*(```|\|)/.test(line)

/** Reads a text. */
export function markdown(text: string): Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const blocks: Block[] = []
  let at = 0
  const take = (whether: (line: string) => boolean): string[] => {
    const from = at
    while (at < lines.length && whether(lines[at] ?? '')) at += 1
    return lines.slice(from, at)
  }
  while (at < lines.length) {
    const line = lines[at] ?? ''
    const heading = HEADING.exec(line)
    const item = ITEM.exec(line)
    if (line.trim() === '') at += 1
    else if (line.trimStart().startsWith('```')) {
      at += 1
      blocks.push({ kind: 'code', text: take((one) => !one.trimStart().startsWith('```')).join('\n') })
      at += 1
    } else if (heading) {
      at += 1
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, inlines: inlines(heading[2] ?? '') })
    } else if (item) {
      blocks.push(
        list(
          take((one) => ITEM.test(one) || (/^\s+\S/.test(one) && !begins(one))),
          item[1] !== undefined,
        ),
      )
    } else if (/^\s*\|/.test(line)) {
      const rows = take((one) => /^\s*\|/.test(one))
      const ruled = /^[\s|:-]+$/.test(rows[1] ?? '')
      blocks.push({
        kind: 'table',
        head: ruled ? cells(rows[0] ?? '') : [],
        rows: rows.slice(ruled ? 2 : 0).map(cells),
      })
    } else {
      at += 1
      blocks.push({
        kind: 'paragraph',
        inlines: inlines([line, ...take((one) => !begins(one))].map((one) => one.trim()).join(' ')),
      })
    }
  }
  return blocks
}

/** A list from its lines; a line that only goes on belongs to the entry before. */
function list(lines: readonly string[], ordered: boolean): Block {
  const texts: string[] = []
  for (const line of lines) {
    const item = ITEM.exec(line)
    if (item) texts.push(item[2] ?? '')
    else texts.push(`${texts.pop() ?? ''} ${line.trim()}`)
  }
  return { kind: 'list', ordered, items: texts.map(inlines) }
}
