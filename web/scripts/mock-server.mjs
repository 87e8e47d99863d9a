/**
 * A stand-in for the server, for work on the editor: docs/http.md with flows in memory and made-up traffic.
 *
 *   node scripts/mock-server.mjs [--port 1880] [--nodes n] [--quiet]
 *
 * It serves dist/ too. With `npm run dev` the dev server hands its calls to this one. `POST /mock/deploy` acts as
 * another person who deploys, `POST /mock/drop` cuts every socket.
 */
import { createServer } from 'node:http'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'
import { catalog } from './mock-types.mjs'

const { values: args } = parseArgs({
  options: {
    port: { type: 'string', default: '1880' },
    nodes: { type: 'string', default: '0' },
    quiet: { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const nodesFolder = join(root, '../nodes')

const state = {
  flows: sample(Number(args.nodes)),
  rev: 'rev-1',
  next: 2,
  versions: [],
  credentials: { broker1: { user: 'sensor', password: 'hidden' } },
}

function sample(extra) {
  const flows = [
    { id: 'tab1', type: 'tab', label: 'Weather', disabled: false, info: '' },
    { id: 'tab2', type: 'tab', label: 'Heating', disabled: false, info: '' },
    { id: 'broker1', type: 'mqtt-broker', name: 'Built-in broker', broker: 'localhost', port: 1883 },
    {
      id: 'inject1',
      type: 'inject',
      z: 'tab1',
      name: 'Sensor',
      props: [{ p: 'payload' }, { p: 'topic', vt: 'str' }],
      payload: '21',
      payloadType: 'num',
      topic: 'home/kitchen/temp',
      repeat: '5',
      x: 120,
      y: 100,
      wires: [['out1']],
    },
    {
      id: 'out1',
      type: 'mqtt out',
      z: 'tab1',
      name: '',
      topic: 'home/kitchen/temp',
      broker: 'broker1',
      x: 380,
      y: 100,
      wires: [],
    },
    {
      id: 'in1',
      type: 'mqtt in',
      z: 'tab1',
      name: '',
      topic: 'home/+/temp',
      qos: '2',
      broker: 'broker1',
      x: 130,
      y: 200,
      wires: [['fn1', 'sw1']],
    },
    {
      id: 'fn1',
      type: 'function',
      z: 'tab1',
      name: 'to Fahrenheit',
      func: 'msg.payload = msg.payload * 9 / 5 + 32\nreturn msg',
      outputs: 1,
      x: 360,
      y: 200,
      wires: [['dbg1']],
    },
    {
      id: 'sw1',
      type: 'switch',
      z: 'tab1',
      name: 'too warm?',
      property: 'payload',
      propertyType: 'msg',
      rules: [{ t: 'gt', v: '25', vt: 'num' }, { t: 'else' }],
      outputs: 2,
      x: 360,
      y: 280,
      wires: [['dbg2'], []],
    },
    {
      id: 'dbg1',
      type: 'debug',
      z: 'tab1',
      name: 'Fahrenheit',
      active: true,
      complete: 'payload',
      targetType: 'msg',
      x: 610,
      y: 200,
      wires: [],
    },
    {
      id: 'dbg2',
      type: 'debug',
      z: 'tab1',
      name: 'warm',
      active: true,
      complete: 'true',
      targetType: 'full',
      x: 600,
      y: 280,
      wires: [],
    },
    {
      id: 'odd1',
      type: 'ui_gauge',
      z: 'tab1',
      name: 'from an old file',
      group: 'x',
      min: 0,
      max: 40,
      x: 600,
      y: 360,
      wires: [],
    },
    {
      id: 'inj2',
      type: 'inject',
      z: 'tab2',
      name: '',
      props: [{ p: 'payload' }],
      payload: '',
      payloadType: 'date',
      x: 120,
      y: 80,
      wires: [['chg']],
    },
    {
      id: 'chg',
      type: 'change',
      z: 'tab2',
      name: 'set 22',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '22', tot: 'num' }],
      x: 320,
      y: 80,
      wires: [[]],
    },
  ]
  for (let n = 0; n < extra; n += 1) {
    flows.push({
      id: `x${n}`,
      type: n % 2 ? 'function' : 'change',
      z: 'tab2',
      name: `node ${n}`,
      rules: [],
      x: 120 + (n % 25) * 160,
      y: 160 + Math.floor(n / 25) * 60,
      wires: [n % 25 < 24 ? [`x${n + 1}`] : []],
    })
  }
  return flows
}

function problems() {
  const types = new Set(catalog(nodesFolder).types.map((type) => type.type))
  const editors = new Set(['tab', 'group', 'subflow', 'junction'])
  return state.flows
    .filter((item) => !types.has(item.type) && !editors.has(item.type) && !item.type.startsWith('subflow:'))
    .map((item) => ({
      node: item.id,
      level: 'warning',
      code: 'unknown_type',
      message: `There is no node type “${item.type}” here; messages end at this node.`,
    }))
}

const topics = () =>
  ['home/kitchen/temp', 'home/bath/temp', 'home/kitchen/humidity', 'garden/pump/state', 'home/door/front'].map(
    (topic, index) => ({
      topic,
      payload: index === 3 ? 'on' : String(18 + index * 1.4),
      retained: index % 2 === 0,
      time: Date.now() - index * 9000,
    }),
  )

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString()
    let body
    try {
      body = text === '' ? undefined : JSON.parse(text)
    } catch {
      answer(response, 400, { code: 'not_json', message: 'The body is not JSON.' })
      return
    }
    if (!args.quiet) console.log(request.method, url.pathname)
    route(request, url, body, response)
  })
})

function answer(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(value === undefined ? '' : JSON.stringify(value))
}

function route(request, url, body, response) {
  const [first = '', second = '', third = ''] = url.pathname.slice(1).split('/').map(decodeURIComponent)
  const send = (value, status = 200) => answer(response, status, value)
  if (first === 'flows' && request.method === 'GET') return send({ flows: state.flows, rev: state.rev })
  if (first === 'flows' && request.method === 'POST') return deploy(body, send)
  if (first === 'inject') return inject(second, send)
  if (first === 'debug' && (third === 'enable' || third === 'disable')) return toggle(second, third === 'enable', send)
  if (first === 'settings')
    return send({
      version: '0.1.0',
      lang: 'en',
      httpNodeRoot: '/',
      flowFilePretty: true,
      broker: { host: '0.0.0.0', port: 1883 },
    })
  if (first === 'health') return send({ status: 'ok', rev: state.rev, flows: 2, broker: 'running' })
  if (first === 'credentials') return send(shownCredentials(third))
  if (first === 'flowrill' && second === 'catalog')
    return send(catalog(nodesFolder, url.searchParams.get('lang') ?? 'en'))
  if (first === 'flowrill' && second === 'problems') return send({ problems: problems() })
  if (first === 'flowrill' && second === 'topics') return send({ topics: topics() })
  if (first === 'flowrill' && second === 'history')
    return send(
      third === ''
        ? { versions: state.versions }
        : { ...state.versions.find((one) => one.rev === third), flows: state.flows },
    )
  if (first === 'mock' && second === 'deploy') {
    const flows = state.flows.map((item) => (item.id === 'fn1' ? { ...item, name: 'changed by someone else' } : item))
    return deploy({ flows }, send)
  }
  if (first === 'mock' && second === 'drop') {
    for (const socket of sockets.clients) socket.terminate()
    return send({})
  }
  return file(url.pathname, response)
}

function deploy(body, send) {
  if (body?.rev !== undefined && body.rev !== state.rev)
    return send({ code: 'version_mismatch', message: 'Somebody else deployed in the meantime.' }, 409)
  if (!Array.isArray(body?.flows))
    return send({ code: 'bad_flows', message: 'The flows are not a list.', problems: [] }, 400)
  state.flows = body.flows.map(({ credentials, ...item }) => {
    if (credentials) state.credentials[item.id] = { ...state.credentials[item.id], ...credentials }
    return item
  })
  state.versions.unshift({ rev: state.rev, time: Date.now(), nodes: state.flows.length })
  state.rev = `rev-${state.next++}`
  send({ rev: state.rev })
  broadcast([
    { topic: 'notification/runtime-deploy', data: { revision: state.rev } },
    { topic: 'notification/problems', data: { problems: problems() } },
  ])
}

function shownCredentials(id) {
  const { password, ...rest } = state.credentials[id] ?? {}
  return { ...rest, ...(password ? { has_password: true } : {}) }
}

function inject(id, send) {
  const node = state.flows.find((item) => item.id === id)
  if (!node) return send({ code: 'not_found', message: 'There is no such node. Deploy first.' }, 404)
  broadcast([
    {
      topic: 'debug',
      data: {
        id: 'dbg1',
        z: 'tab1',
        path: 'tab1',
        name: 'Fahrenheit',
        topic: 'home/kitchen/temp',
        property: 'payload',
        msg: '69.8',
        format: 'number',
        timestamp: Date.now(),
      },
    },
  ])
  return send(undefined)
}

function toggle(id, on, send) {
  const node = state.flows.find((item) => item.id === id)
  if (!node) return send({ code: 'not_found', message: 'There is no such node. Deploy first.' }, 404)
  node.active = on
  return send(undefined, on ? 200 : 201)
}

const mime = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
}

function file(path, response) {
  const wanted = join(dist, normalize(path === '/' ? '/index.html' : path))
  if (!wanted.startsWith(dist) || !existsSync(wanted) || !statSync(wanted).isFile())
    return answer(response, 404, { code: 'not_found', message: 'There is nothing at this address.' })
  response.writeHead(200, { 'Content-Type': mime[extname(wanted)] ?? 'application/octet-stream' })
  return createReadStream(wanted).pipe(response)
}

const sockets = new WebSocketServer({ server, path: '/comms' })
const statuses = () => [
  { topic: 'status/in1', data: { fill: 'green', shape: 'dot', text: 'connected' } },
  { topic: 'status/out1', data: { fill: 'green', shape: 'dot', text: 'connected' } },
  { topic: 'status/fn1', data: { fill: 'blue', shape: 'ring', text: '69.8 °F' } },
]
sockets.on('connection', (socket) => socket.send(JSON.stringify(statuses())))

function broadcast(frames) {
  for (const socket of sockets.clients) if (socket.readyState === 1) socket.send(JSON.stringify(frames))
}

const samples = [
  {
    id: 'dbg2',
    name: 'warm',
    property: '',
    format: 'Object',
    msg: JSON.stringify({
      topic: 'home/kitchen/temp',
      payload: {
        temperature: 26.4,
        unit: 'C',
        history: Array.from({ length: 130 }, (_, n) => n),
        raw: { type: 'Buffer', data: [104, 105, 10, 255], __enc__: true, length: 4 },
        nothing: { __enc__: true, type: 'undefined' },
      },
      _msgid: 'a1b2c3d4e5f60718',
    }),
  },
  { id: 'dbg1', name: 'Fahrenheit', property: 'payload', format: 'string[21]', msg: 'a text\nwith two lines' },
  { id: 'dbg1', name: 'Fahrenheit', property: 'payload', format: 'buffer[5]', msg: '68656c6c6f' },
  { id: 'dbg1', name: 'Fahrenheit', property: 'payload', format: 'boolean', msg: 'true' },
  {
    id: 'fn1',
    name: 'to Fahrenheit',
    type: 'function',
    format: 'string[24]',
    msg: 'the value is rather high',
    level: 30,
  },
  {
    id: 'fn1',
    name: 'to Fahrenheit',
    type: 'function',
    format: 'error',
    msg: JSON.stringify({
      __enc__: true,
      type: 'error',
      data: {
        name: 'TypeError',
        message: 'Cannot read properties of undefined (reading "a")',
        stack: 'TypeError: Cannot read…\n    at on message:2:9',
      },
    }),
    level: 20,
  },
]
let beat = 0
setInterval(() => {
  beat += 1
  const value = (68 + Math.sin(beat / 4) * 6).toFixed(1)
  const frames = [
    {
      topic: 'debug',
      data: {
        id: 'dbg1',
        z: 'tab1',
        path: 'tab1',
        name: 'Fahrenheit',
        topic: 'home/kitchen/temp',
        property: 'payload',
        msg: value,
        format: 'number',
        timestamp: Date.now(),
      },
    },
    { topic: 'status/fn1', data: { fill: 'blue', shape: 'ring', text: `${value} °F` } },
  ]
  if (beat % 2 === 0)
    frames.push({
      topic: 'debug',
      data: { z: 'tab1', path: 'tab1', timestamp: Date.now(), ...samples[(beat / 2) % samples.length] },
    })
  if (beat % 8 === 0) frames.push({ topic: 'hb', data: Date.now() })
  broadcast(frames)
}, 2000)

server.listen(Number(args.port), '127.0.0.1', () => console.log(`mock server on http://127.0.0.1:${args.port}`))
