/**
 * What a broker keeps for MQTT.js when it stops, and when it is killed: restarts.mjs '{"tcp": "host:port", …}'.
 *
 * Where the broker is to be started anew this writes `stop` or `kill`, and waits for a line.
 */
import { createInterface } from 'node:readline'

import { Client, Difference, end, same, ways } from './client.mjs'

const MESSAGES = 60

const lasting = (version) => ({
  clean: false,
  ...(version === '5' ? { properties: { sessionExpiryInterval: 3600 } } : {}),
})

/** A client whose session outlives the broker, with what it is to get. */
class Sleeper {
  wanted = { 1: [], 2: [] }

  constructor(version, name, way) {
    this.title = `MQTT ${version} over ${name}`
    this.name = `r${version.replaceAll('.', '')}${name}`
    this.connect = (client, options) => new Client(way, version, `${this.name}-${client}`, options)
    this.wake = async (present) => {
      this.awake = this.connect('sleeper', lasting(version))
      const { sessionPresent } = await this.awake.connack()
      if (version !== '3.1') same('whether its session is there', sessionPresent, present)
    }
  }

  async begin() {
    await this.wake(false)
    await this.awake.subscribe(`${this.name}/+`, 2)
    await this.awake.disconnect()
  }

  /** Sends it messages; what is acknowledged is to come. */
  async send() {
    const sender = this.connect('sender')
    await sender.connack()
    for (let number = 0; number < MESSAGES / 2; number += 1) {
      for (const [qos, wanted] of Object.entries(this.wanted)) {
        const payload = String(wanted.length)
        await sender.publish(`${this.name}/${qos}`, payload, Number(qos))
        wanted.push(payload)
      }
    }
    await sender.publish(`${this.name}/kept`, 'kept', 1, { retain: true })
    await sender.disconnect()
  }

  /** All of it comes, in order. */
  async get() {
    await this.wake(true)
    const got = { 1: [], 2: [] }
    while (got[1].length < this.wanted[1].length || got[2].length < this.wanted[2].length) {
      const message = await this.awake.message()
      if (!message.topic.endsWith('kept')) got[message.qos].push(String(message.payload))
    }
    same('what waited', got, this.wanted)
    const late = this.connect('late')
    await late.connack()
    await late.subscribe(`${this.name}/kept`)
    await late.gets('what is retained', [`${this.name}/kept`, 'kept', 1, true])
    await late.disconnect()
    await this.awake.disconnect()
  }
}

/** A publisher and a subscriber that stay and connect again by themselves, while messages of QoS 2 are under way. */
class Steady {
  underWay = []

  constructor(version, name, way) {
    this.title = `MQTT ${version} over ${name}, connecting again`
    this.name = `s${version.replaceAll('.', '')}${name}`
    const options = { ...lasting(version), reconnectPeriod: 100 }
    this.to = new Client(way, version, `${this.name}-to`, options)
    this.by = new Client(way, version, `${this.name}-by`, options)
  }

  async begin() {
    await this.to.connack()
    await this.by.connack()
    await this.to.subscribe(this.name, 2)
  }

  send() {
    for (let number = 0; number < MESSAGES; number += 1) {
      const sent = this.by.publish(this.name, String(this.underWay.length), 2)
      // Whoever waits for it hears of it.
      sent.catch(() => {})
      this.underWay.push(sent)
    }
  }

  async get() {
    await Promise.all(this.underWay)
    const got = []
    for (const _ of this.underWay) got.push(Number((await this.to.message()).payload))
    const all = [...this.underWay.keys()]
    const missing = all.filter((number) => !got.includes(number))
    const twice = got.filter((number, place) => got.indexOf(number) !== place)
    same('what is missing, and what came twice', [missing, twice], [[], []])
    await this.to.publish(this.name, 'end', 2)
    await this.to.gets('and no other', [this.name, 'end', 2, false])
    await this.to.disconnect()
    await this.by.disconnect()
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function restart(how) {
  console.log(how)
  await lines.next()
}

const wrong = []
const all = ways(JSON.parse(process.argv[2]))
const made = (Kind, versions, names) =>
  versions.flatMap((version) => names.map((name) => new Kind(version, name, all[name])))
let clients = [
  ...made(Sleeper, ['3.1', '3.1.1', '5'], ['tls', 'ws']),
  ...made(Steady, ['3.1.1', '5'], ['tcp', 'tls', 'wss']),
]

/** All do this at once; who can't does no more. */
async function each(what) {
  const done = clients.map(async (client) => {
    try {
      await client[what]()
      return [client]
    } catch (error) {
      wrong.push(`${client.title}, ${what}: ${error instanceof Difference ? error.message : error.stack}`)
      return []
    }
  })
  clients = (await Promise.all(done)).flat()
}

await each('begin')
for (const how of ['stop', 'kill']) {
  await each('send')
  await restart(how)
}
await each('get')
end(wrong)
