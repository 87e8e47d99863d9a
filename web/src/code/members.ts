/** What a function can use: the members of `msg`, `node`, `flow`, `global`, `context`, `env` and `RED`, with a few words. */

/** A member to offer after the dot. */
export interface Member {
  label: string
  /** What it takes or is. */
  detail: string
  kind: 'method' | 'property'
}

const method = (label: string, detail: string): Member => ({ label, detail, kind: 'method' })
const property = (label: string, detail: string): Member => ({ label, detail, kind: 'property' })

const store = [method('get', '(key)'), method('set', '(key, value)'), method('keys', '()')]

const members: Record<string, Member[]> = {
  msg: [
    property('payload', 'the data'),
    property('topic', 'the subject'),
    property('_msgid', 'id of the message'),
    property('parts', 'place in a sequence'),
  ],
  node: [
    method('send', '(msg)'),
    method('done', '()'),
    method('error', '(text, msg)'),
    method('warn', '(text)'),
    method('log', '(text)'),
    method('debug', '(text)'),
    method('trace', '(text)'),
    method('status', '({fill, shape, text})'),
    method('on', '("close", callback)'),
    property('id', 'id of this node'),
    property('name', 'name of this node'),
    property('outputCount', 'number of outputs'),
  ],
  flow: store,
  global: store,
  context: [...store, property('flow', 'flow variables'), property('global', 'global variables')],
  env: [method('get', '(name)')],
  RED: [property('util', 'helpers')],
  'RED.util': [
    method('cloneMessage', '(msg)'),
    method('getMessageProperty', '(msg, path)'),
    method('setMessageProperty', '(msg, path, value)'),
    method('generateId', '()'),
    method('ensureString', '(value)'),
    method('ensureBuffer', '(value)'),
    method('compareObjects', '(a, b)'),
    method('encodeObject', '(msg)'),
  ],
}

/** The names that stand alone. */
export const roots: readonly string[] = [
  'msg',
  'node',
  'flow',
  'global',
  'context',
  'env',
  'RED',
  'Buffer',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
]

/** The members of an expression such as `node` or `RED.util`; none when it is not known. */
export function membersOf(expression: string): readonly Member[] {
  const known = expression.replace(/^context\.(flow|global)$/, '$1')
  return Object.hasOwn(members, known) ? (members[known] ?? []) : []
}
