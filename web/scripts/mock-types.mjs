/** Node types for the mock server: those of the node folders, and simple stand-ins for the ones that have no folder yet. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const typed = (name, typeProperty, types, typeDefault, more = {}) => ({
  name,
  kind: 'typed',
  types,
  typeProperty,
  typeDefault,
  default: '',
  ...more,
})
const labels = (entries) =>
  Object.fromEntries(
    Object.entries(entries).map(([key, [label, hint, placeholder]]) => [
      key,
      { label, ...(hint && { hint }), ...(placeholder && { placeholder }) },
    ]),
  )

const fallbacks = [
  {
    type: 'inject',
    category: 'common',
    icon: 'play',
    inputs: 0,
    outputs: 1,
    label: ['name', 'topic'],
    button: { kind: 'inject' },
    properties: [
      {
        name: 'props',
        kind: 'list',
        default: [],
        fresh: [{ p: 'payload' }, { p: 'topic', vt: 'str' }],
        fields: [
          { name: 'p', kind: 'message-path' },
          typed('v', 'vt', ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'date', 'env'], 'str'),
        ],
      },
      typed('payload', 'payloadType', ['flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'env'], 'str', {
        typeFresh: 'date',
      }),
      { name: 'topic', kind: 'text', default: '' },
      { name: 'repeat', kind: 'duration', unit: 's', default: '', min: 0 },
      { name: 'once', kind: 'bool', default: false },
      { name: 'onceDelay', kind: 'duration', unit: 's', default: 0.1, when: { once: 'true' } },
      { name: 'crontab', kind: 'text', default: '', advanced: true },
    ],
    texts: {
      label: 'inject',
      summary: 'Starts a flow by hand, at an interval or at a time',
      properties: labels({
        props: ['Message'],
        'props.p': ['Property'],
        'props.v': ['Value'],
        payload: ['Payload'],
        topic: ['Topic'],
        repeat: ['Repeat every', 'Empty: only by hand.'],
        once: ['Send once after start'],
        onceDelay: ['After'],
        crontab: ['At times', 'A cron line such as 0 8 * * 1-5.'],
      }),
    },
    help: 'Sends a message when its **button** is pressed, and again and again if you like.\n\n## What it sends\n\n- `payload`: the time in milliseconds, unless told otherwise\n- `topic`: a text\n\n```\nmsg.payload = 1732400000000\n```\n\nSee [cron](https://en.wikipedia.org/wiki/Cron) for times.',
    examples: [
      {
        title: 'A number every 5 seconds',
        about: 'Type 5 in "Repeat every".',
        config: { payload: '21', payloadType: 'num', repeat: '5' },
        given: [],
        then: [{ payload: 21 }],
      },
    ],
  },
  {
    type: 'debug',
    category: 'common',
    icon: 'bug',
    align: 'right',
    inputs: 1,
    outputs: 0,
    label: ['name', 'complete'],
    button: { kind: 'toggle', property: 'active' },
    properties: [
      typed('complete', 'targetType', ['msg', 'full', 'jsonata'], 'msg', { default: 'payload' }),
      { name: 'active', kind: 'bool', default: true },
      { name: 'tosidebar', kind: 'bool', default: true },
      { name: 'console', kind: 'bool', default: false },
      { name: 'tostatus', kind: 'bool', default: false },
    ],
    texts: {
      label: 'debug',
      summary: 'Shows messages in the debug panel',
      properties: labels({
        complete: ['Output'],
        active: ['On'],
        tosidebar: ['To the debug panel'],
        console: ['To the log'],
        tostatus: ['Below the node'],
      }),
    },
    help: 'Shows what passes by.',
  },
  {
    type: 'function',
    category: 'function',
    icon: 'square-function',
    inputs: 1,
    outputs: { property: 'outputs' },
    label: ['name'],
    properties: [
      { name: 'outputs', kind: 'number', default: 1, min: 0, max: 20 },
      { name: 'timeout', kind: 'duration', unit: 's', default: 0, min: 0, advanced: true },
      {
        name: 'libs',
        kind: 'list',
        default: [],
        advanced: true,
        fields: [
          { name: 'var', kind: 'text' },
          { name: 'module', kind: 'text' },
        ],
      },
      { name: 'initialize', kind: 'code', language: 'javascript', default: '', section: 'start' },
      { name: 'func', kind: 'code', language: 'javascript', default: '', fresh: '\nreturn msg', section: 'message' },
      { name: 'finalize', kind: 'code', language: 'javascript', default: '', section: 'stop' },
    ],
    texts: {
      label: 'function',
      summary: 'Runs JavaScript on each message',
      sections: { start: 'On start', message: 'On message', stop: 'On stop' },
      properties: labels({
        outputs: ['Outputs'],
        timeout: ['Time limit', '0: none.'],
        libs: ['Modules'],
        var: ['Name'],
        module: ['Module'],
        func: ['Code for each message'],
        initialize: ['Code when the flow starts'],
        finalize: ['Code when the flow stops'],
      }),
    },
    help: 'Gets each message as `msg` and sends what it returns.',
    examples: [
      {
        title: 'Celsius to Fahrenheit',
        config: { func: 'msg.payload = msg.payload * 9 / 5 + 32\nreturn msg' },
        given: [{ payload: 21 }],
        then: [{ payload: 69.8 }],
      },
    ],
  },
  {
    type: 'switch',
    category: 'function',
    icon: 'split',
    inputs: 1,
    outputs: { length: 'rules' },
    label: ['name'],
    properties: [
      typed('property', 'propertyType', ['msg', 'flow', 'global', 'env'], 'msg', { default: 'payload' }),
      {
        name: 'rules',
        kind: 'list',
        default: [],
        fresh: [{ t: 'eq', v: '', vt: 'str' }],
        fields: [
          { name: 't', kind: 'select', options: ['eq', 'neq', 'lt', 'gt', 'true', 'else'], default: 'eq' },
          typed('v', 'vt', ['msg', 'flow', 'global', 'str', 'num', 'env'], 'str', {
            when: { t: ['eq', 'neq', 'lt', 'gt'] },
          }),
        ],
      },
      { name: 'checkall', kind: 'select', options: ['true', 'false'], default: 'true' },
    ],
    texts: {
      label: 'switch',
      summary: 'Routes messages by rules',
      properties: labels({
        property: ['Property'],
        rules: ['Rules', 'Each rule is an output.'],
        t: ['If'],
        v: ['Value'],
        checkall: ['Several matches'],
      }),
      options: {
        t: { eq: '=', neq: '≠', lt: '<', gt: '>', true: 'is true', else: 'otherwise' },
        checkall: { true: 'check all rules', false: 'stop at the first match' },
      },
    },
  },
  {
    type: 'change',
    category: 'function',
    icon: 'shuffle',
    inputs: 1,
    outputs: 1,
    label: ['name'],
    properties: [
      {
        name: 'rules',
        kind: 'list',
        default: [],
        fresh: [{ t: 'set', p: 'payload', pt: 'msg', to: '', tot: 'str' }],
        fields: [
          { name: 't', kind: 'select', options: ['set', 'delete'], default: 'set' },
          typed('p', 'pt', ['msg', 'flow', 'global'], 'msg'),
          typed('to', 'tot', ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'date', 'env'], 'str', {
            when: { t: 'set' },
          }),
        ],
      },
    ],
    texts: {
      label: 'change',
      summary: 'Sets, changes, deletes and moves properties',
      properties: labels({ rules: ['Rules'], t: ['Do'], p: ['Property'], to: ['To'] }),
      options: { t: { set: 'set', delete: 'delete' } },
    },
  },
  {
    type: 'delay',
    category: 'function',
    icon: 'hourglass',
    inputs: 1,
    outputs: 1,
    label: ['name'],
    properties: [
      { name: 'timeout', kind: 'number', default: 5, min: 0 },
      { name: 'timeoutUnits', kind: 'select', options: ['milliseconds', 'seconds', 'minutes'], default: 'seconds' },
    ],
    texts: {
      label: 'delay',
      summary: 'Holds messages back, or limits their rate',
      properties: labels({ timeout: ['For'], timeoutUnits: ['Unit'] }),
    },
  },
  {
    type: 'mqtt in',
    category: 'network',
    icon: 'antenna',
    inputs: 0,
    outputs: 1,
    label: ['name', 'topic'],
    properties: [
      { name: 'broker', kind: 'config', type: 'mqtt-broker', required: true, default: '' },
      { name: 'topic', kind: 'topic', default: '', required: true },
      { name: 'qos', kind: 'select', options: ['0', '1', '2'], default: '2' },
      { name: 'datatype', kind: 'select', options: ['auto-detect', 'utf8', 'buffer', 'json'], default: 'auto-detect' },
    ],
    texts: {
      label: 'mqtt in',
      summary: 'Listens to a topic and sends a message for each one published there',
      properties: labels({
        broker: ['Broker'],
        topic: ['Topic', '+ stands for one level, # for all below.', 'home/+/temperature'],
        qos: ['Quality'],
        datatype: ['Output'],
      }),
      options: { qos: { 0: '0 · at most once', 1: '1 · at least once', 2: '2 · exactly once' } },
    },
  },
  {
    type: 'mqtt out',
    category: 'network',
    icon: 'send',
    align: 'right',
    inputs: 1,
    outputs: 0,
    label: ['name', 'topic'],
    properties: [
      { name: 'broker', kind: 'config', type: 'mqtt-broker', required: true, default: '' },
      { name: 'topic', kind: 'topic', default: '' },
      { name: 'qos', kind: 'select', options: ['', '0', '1', '2'], default: '' },
      { name: 'retain', kind: 'select', options: ['', 'false', 'true'], default: '' },
    ],
    texts: {
      label: 'mqtt out',
      summary: 'Publishes messages',
      properties: labels({
        broker: ['Broker'],
        topic: ['Topic', 'Empty: the message’s own topic.'],
        qos: ['Quality'],
        retain: ['Keep for new subscribers'],
      }),
      options: { qos: { '': 'as the message says' }, retain: { '': 'as the message says', false: 'no', true: 'yes' } },
    },
  },
  {
    type: 'mqtt-broker',
    category: 'config',
    config: true,
    icon: 'server',
    label: ['name', 'broker'],
    properties: [
      { name: 'broker', kind: 'text', default: 'localhost', required: true },
      { name: 'port', kind: 'number', default: 1883, min: 1, max: 65535 },
      { name: 'usetls', kind: 'bool', default: false },
      { name: 'clientid', kind: 'text', default: '', advanced: true },
      { name: 'keepalive', kind: 'duration', unit: 's', default: 60, advanced: true },
    ],
    credentials: [
      { name: 'user', kind: 'text' },
      { name: 'password', kind: 'secret' },
    ],
    texts: {
      label: 'MQTT broker',
      properties: labels({
        broker: ['Host'],
        port: ['Port'],
        usetls: ['Encrypt (TLS)'],
        clientid: ['Client id', 'Empty: made anew each time.'],
        keepalive: ['Sign of life every'],
        user: ['User'],
        password: ['Password'],
      }),
    },
  },
  {
    type: 'json',
    category: 'parser',
    icon: 'braces',
    inputs: 1,
    outputs: 1,
    label: ['name'],
    properties: [
      { name: 'property', kind: 'message-path', default: 'payload' },
      { name: 'pretty', kind: 'bool', default: false },
    ],
    texts: {
      label: 'json',
      summary: 'JSON text to value and back',
      properties: labels({ property: ['Property'], pretty: ['Indent'] }),
    },
  },
  {
    type: 'split',
    category: 'sequence',
    icon: 'list',
    inputs: 1,
    outputs: 1,
    label: ['name'],
    properties: [{ name: 'splt', kind: 'text', default: '\\n' }],
    texts: { label: 'split', summary: 'Cuts a message in parts', properties: labels({ splt: ['Cut at'] }) },
  },
  {
    type: 'file',
    category: 'storage',
    icon: 'file-output',
    align: 'right',
    inputs: 1,
    outputs: 1,
    label: ['name', 'filename'],
    properties: [{ name: 'filename', kind: 'file', default: '' }],
    texts: { label: 'write file', summary: 'Writes to a file', properties: labels({ filename: ['File'] }) },
  },
  {
    type: 'comment',
    category: 'common',
    icon: 'message-square',
    inputs: 0,
    outputs: 0,
    label: ['name'],
    properties: [],
    texts: { label: 'comment', summary: 'A note on the canvas', properties: {} },
  },
  {
    type: 'catch',
    category: 'common',
    icon: 'shield-alert',
    inputs: 0,
    outputs: 1,
    label: ['name'],
    properties: [
      { name: 'scope', kind: 'nodes', default: null },
      { name: 'uncaught', kind: 'bool', default: false },
    ],
    texts: {
      label: 'catch',
      summary: 'Gets the errors of other nodes',
      properties: labels({ scope: ['Errors of'], uncaught: ['Only what no other catch node took'] }),
    },
  },
  {
    type: 'gauge',
    category: 'dashboard',
    icon: 'gauge',
    inputs: 1,
    outputs: 0,
    label: ['name'],
    properties: [
      { name: 'tint', kind: 'colour', default: '#0a86b8' },
      { name: 'extra', kind: 'somethingnew', default: { a: 1 } },
    ],
    texts: { label: 'gauge', summary: 'A dial', properties: labels({ tint: ['Colour'], extra: ['Extra'] }) },
  },
]

const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

function readFolder(folder, lang) {
  const manifest = join(folder, 'manifest.json')
  if (!existsSync(manifest)) return null
  const optional = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined)
  const english = json(join(folder, 'texts/en.json'))
  const other = optional(`texts/${lang}.json`)
  const svg = optional('icon.svg')
  return {
    ...json(manifest),
    texts: other ? { ...english, ...JSON.parse(other) } : english,
    help: optional('help.md') ?? '',
    examples: JSON.parse(optional('examples.json') ?? '[]'),
    ...(svg ? { iconSvg: svg } : {}),
  }
}

/** The catalogue in a language. */
export function catalog(nodesFolder, lang = 'en') {
  const found = existsSync(nodesFolder)
    ? readdirSync(nodesFolder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap((entry) => readFolder(join(nodesFolder, entry.name), lang) ?? [])
    : []
  const names = new Set(found.map((type) => type.type))
  return { lang, types: [...found, ...fallbacks.filter((type) => !names.has(type.type))] }
}
