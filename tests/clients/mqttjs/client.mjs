/** A client of MQTT.js whose events are waited for one by one. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// Among the packages of the editor, whose browser test uses it, too.
const { connect } = createRequire(new URL('../../../web/package.json', import.meta.url))('mqtt')

export const VERSIONS = { 3.1: [3, 'MQIsdp'], '3.1.1': [4, 'MQTT'], 5: [5, 'MQTT'] }

/** Of the user there is. */
export const LOGIN = { username: 'ann', password: 'right' }

/** Only against hanging for ever. */
const PATIENCE = 30_000

/** What the broker did otherwise than it should. */
export class Difference extends Error {}

const shown = (value) => JSON.stringify(value, (_, one) => (one?.type === 'Buffer' ? `${one.data.length} bytes` : one))

/** Says what is different, if anything is. */
export function same(what, got, wanted) {
  if (shown(got) !== shown(wanted)) throw new Difference(`${what}: ${shown(wanted)} wanted, but it is ${shown(got)}`)
}

/** Waits for this, and says what is missing if it does not come. */
function within(what, promise) {
  let timer
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Difference(`${what} does not come`)), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** What comes, in order, for whoever asks. */
class Queue {
  #waiting = []
  #asking = []

  put(one) {
    const asking = this.#asking.shift()
    if (asking) asking(one)
    else this.#waiting.push(one)
  }

  next(what) {
    if (this.#waiting.length) return Promise.resolve(this.#waiting.shift())
    return within(what, new Promise((found) => this.#asking.push(found)))
  }
}

/** One client. `way` is a URL with options, as `ways` makes them. */
export class Client {
  messages = new Queue()
  ends = new Queue()

  constructor(way, version, name, options = {}) {
    const [protocolVersion, protocolId] = VERSIONS[version]
    this.name = name
    this.mqtt = connect(way.url, {
      ...way.options,
      clientId: name,
      protocolVersion,
      protocolId,
      reconnectPeriod: 0,
      ...options,
    })
    this.connected = new Promise((found, failed) => {
      this.mqtt.once('connect', found)
      this.mqtt.once('error', (error) => failed(error.code === undefined ? error : new Refused(error)))
      this.mqtt.once('close', () => failed(new Difference(`${name} is not let in`)))
    })
    // Whoever waits for it hears of it.
    this.connected.catch(() => {})
    this.mqtt.on('error', () => {})
    this.mqtt.on('disconnect', (packet) => this.ends.put(packet))
    this.mqtt.on('message', (topic, payload, packet) => this.messages.put({ ...packet, topic, payload }))
  }

  /** The answer to CONNECT. */
  connack() {
    return within(`the answer to ${this.name}'s connection`, this.connected)
  }

  /** The reason why it is not let in. */
  async refused() {
    try {
      await this.connack()
    } catch (error) {
      if (error instanceof Refused) return error.reason
      throw error
    }
    throw new Difference(`${this.name} is let in, and should not be`)
  }

  async subscribe(filter, qos = 1, options = {}) {
    const done = this.mqtt.subscribeAsync(filter, { qos, ...options })
    const granted = await within(`the answer to ${this.name}'s subscription`, done)
    same(`what ${this.name} is granted for ${filter}`, granted[0]?.qos, qos)
  }

  unsubscribe(filter) {
    return within(`the answer to ${this.name}'s unsubscription`, this.mqtt.unsubscribeAsync(filter))
  }

  /** Publishes, and returns when that is acknowledged. */
  publish(topic, payload = '', qos = 1, options = {}) {
    const done = this.mqtt.publishAsync(topic, payload, { qos, ...options })
    return within(`the answer to ${this.name}'s message to ${topic} at QoS ${qos}`, done)
  }

  message() {
    return this.messages.next(`a message to ${this.name}`)
  }

  /** The next messages: topic, payload, QoS, whether it is marked as retained. */
  async gets(what, ...wanted) {
    for (const one of wanted) {
      const got = await this.message()
      same(`${what}, which ${this.name} gets`, [got.topic, String(got.payload), got.qos, got.retain], one)
    }
  }

  /** Nothing came to this client before what `sender` now sends it. */
  async getsNothing(what, sender) {
    const topic = `${this.name}/last`
    await this.subscribe(topic)
    await sender.publish(topic, 'last')
    const got = await this.message()
    same(`${what}: what ${this.name} gets next`, [got.topic, String(got.payload)], [topic, 'last'])
    await this.unsubscribe(topic)
  }

  disconnect(options = {}) {
    return within(`the end of ${this.name}`, this.mqtt.endAsync(false, options))
  }

  /** Lets the connection break: without DISCONNECT. */
  lose() {
    this.mqtt.stream.destroy()
  }
}

/** CONNACK with a reason code that refuses. */
class Refused extends Difference {
  constructor(error) {
    super(error.message)
    this.reason = error.code
  }
}

/** Each way in, by its name. WebSockets may have places of their own. */
export function ways(places) {
  const tls = { ca: readFileSync(places.ca) }
  const made = {
    tcp: { url: `mqtt://${places.tcp}` },
    tls: { url: `mqtts://${places.tls}`, options: tls },
    ws: { url: `ws://${places.ws ?? places.tcp}/` },
    wss: { url: `wss://${places.wss ?? places.tls}/any`, options: tls },
  }
  if (places.http) made['ws-http'] = { url: `ws://${places.http}/mqtt`, options: LOGIN }
  return made
}

/** Ends the program with what is wrong, one sentence a line. */
export function end(wrong) {
  for (const one of wrong) console.error(`MQTT.js: ${one}`)
  process.exit(wrong.length ? 1 : 0)
}
