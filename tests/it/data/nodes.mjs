// Runs Node-RED's own switch, change, range and filter nodes on tables of messages and prints what they send:
//   node nodes.mjs <folder with node_modules/@node-red> <switch|change|range|rbe>
import { createRequire } from 'node:module'
const require = createRequire(process.argv[2] + '/')
const util = require('@node-red/util').util
const files = { switch: '10-switch.js', change: '15-change.js', range: '16-range.js', rbe: 'rbe.js' }
const kind = process.argv[3]

function encode(value, seen = []) {
  if (value === undefined) return { $t: 'undefined' }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $t: 'number', v: Object.is(value, -0) ? '-0' : String(value) }
  if (Buffer.isBuffer(value)) return { $t: 'buffer', v: value.toString('base64') }
  if (value instanceof Date) return { $t: 'date', v: value.getTime() }
  if (typeof value === 'bigint') return { $t: 'bigint', v: String(value) }
  if (value instanceof RegExp) return { $t: 'regexp', v: value.source, flags: value.flags }
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return Array.from(value, (one) => encode(one))
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encode(one)]))
}

const quiet = () => new Promise((resolve) => setTimeout(resolve, 2))

/** What the node makes of the messages: [output, message] for each it sends, and its errors and warnings. */
export async function run(config, messages) {
  const out = []
  const context = {}
  const scope = (values) => ({
    get(key, store, callback) { let v; try { v = util.getObjectProperty(values, key) } catch {} ; callback ? callback(null, v) : 0; return v },
    set(key, value, store, callback) { util.setObjectProperty(values, key, value); callback?.() },
  })
  let Type
  const flow = scope((context.flow = {})), global = scope((context.global = {}))
  const RED = {
    nodes: {
      createNode(node, n) {
        node.handlers = {}
        node.on = (name, handler) => (node.handlers[name] = handler)
        node.send = (sent) => {
          const list = Array.isArray(sent) ? sent : [sent]
          list.forEach((msg, port) => { if (msg) { delete msg._msgid; out.push([port, encode(msg)]) } })
        }
        for (const level of ['error', 'warn', 'log']) node[level] = (text) => out.push([level, String(text)])
        node.context = () => ({ flow, global })
        node._flow = { getSetting: () => undefined }
      },
      registerType(_, constructor) { Type = constructor },
    },
    settings: {},
    util,
    _: (key) => key,
  }
  require('@node-red/nodes/core/function/' + files[kind])(RED)
  const node = new Type(structuredClone({ id: 'n', type: kind, ...config }))
  for (const original of messages) {
    const msg = util.cloneMessage(original)
    if (!node.handlers.input) break
    const done = (error) => { if (error) out.push(['error', String(error)]) }
    try { node.handlers.input.call(node, msg, (sent) => node.send(sent), done) } catch (error) { out.push(['error', String(error)]) }
    await quiet()
  }
  return { out, flow: encode(context.flow) }
}

/** A message as the place of the given one that is most like it, and what differs. */
function shortest(msg, given) {
  const all = given.map((one, index) => {
    const patch = {}
    for (const key of new Set([...Object.keys(one), ...Object.keys(msg)]))
      if (JSON.stringify(one[key]) !== JSON.stringify(msg[key])) patch[key] = key in msg ? msg[key] : { $t: 'gone' }
    return Object.keys(patch).length ? [index, patch] : [index]
  })
  return all.reduce((best, one) => (JSON.stringify(one).length < JSON.stringify(best).length ? one : best))
}

const { cases } = await import('./nodes.' + kind + '.mjs')
const tables = []
const rows = []
for (const [config, messages] of cases()) {
  const given = messages.map((msg) => encode(msg))
  const { out, flow } = await run(config, messages)
  const short = out.map(([port, msg]) => (typeof msg === 'string' ? [port, msg] : [port, ...shortest(msg, given)]))
  const text = JSON.stringify(given)
  if (!tables.includes(text)) tables.push(text)
  rows.push(JSON.stringify([config, tables.indexOf(text), short, ...(Object.keys(flow).length ? [flow] : [])]))
}
console.log(`{"messages": [\n${tables.join(',\n')}\n],\n"cases": [\n${rows.join(',\n')}\n]}`)
