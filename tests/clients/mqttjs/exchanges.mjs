/** Exchanges of MQTT.js with a broker, each at every version and over every way in: exchanges.mjs '{"tcp": "host:port", …}'. */
import { Client, Difference, LOGIN, VERSIONS, end, same, ways } from './client.mjs'
import { FIFTH } from './fifth.mjs'

/** A version and a way in; whatever is named here is named after them. */
class Round {
  clients = []

  constructor(version, name, way) {
    this.version = version
    this.way = way
    // Client identifiers of MQTT 3.1 have 23 characters at most.
    this.name = `j${version.replaceAll('.', '')}${name}`
  }

  client(name, options) {
    const made = new Client(this.way, this.version, `${this.name}-${name}`, options)
    this.clients.push(made)
    return made
  }

  async connected(name, options) {
    const made = this.client(name, options)
    await made.connack()
    return made
  }

  topic(rest) {
    return `${this.name}/${rest}`
  }

  /** What makes a session outlive its connection. */
  lasting() {
    return this.version === '5' ? { clean: false, properties: { sessionExpiryInterval: 3600 } } : { clean: false }
  }
}

const EXCHANGES = {
  async everyQos(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    for (const granted of [0, 1, 2]) {
      const topic = round.topic(`qos/${granted}`)
      await receiver.subscribe(topic, granted)
      for (const qos of [0, 1, 2]) {
        for (const payload of ['', '21', 'Grüße, 世界']) {
          await sender.publish(topic, payload, qos)
          await receiver.gets(`QoS ${qos} to ${granted}`, [topic, payload, Math.min(qos, granted), false])
        }
      }
    }
  },

  async large(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    const [topic, payload] = [round.topic('large'), Buffer.alloc(5 << 20, 'as large as a picture')]
    await receiver.subscribe(topic, 2)
    for (const qos of [0, 1, 2]) {
      await sender.publish(topic, payload, qos)
      const got = await receiver.message()
      same(`5 MB at QoS ${qos}`, [got.topic, got.qos, payload.equals(got.payload)], [topic, qos, true])
    }
  },

  async filters(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    await receiver.subscribe(round.topic('+/b/#'))
    await receiver.subscribe(round.topic('ü/+'), 0)
    for (const topic of ['a/b', 'a/b/c/d', 'ü/x', '/b', 'a/c', 'ü']) await sender.publish(round.topic(topic), topic)
    await receiver.gets(
      'what its filters say',
      [round.topic('a/b'), 'a/b', 1, false],
      [round.topic('a/b/c/d'), 'a/b/c/d', 1, false],
      [round.topic('ü/x'), 'ü/x', 0, false],
      [round.topic('/b'), '/b', 1, false],
    )
    await receiver.unsubscribe(round.topic('+/b/#'))
    await sender.publish(round.topic('a/b'))
    await receiver.getsNothing('it has unsubscribed', sender)
  },

  async retained(round) {
    const [sender, early] = [await round.connected('from'), await round.connected('early')]
    const topic = round.topic('kept/a')
    await early.subscribe(topic, 2)
    for (const qos of [0, 1, 2]) {
      await sender.publish(topic, `kept ${qos}`, qos, { retain: true })
      await early.gets('a message to retain', [topic, `kept ${qos}`, qos, false])
      const late = await round.connected(`late${qos}`)
      await late.subscribe(round.topic('kept/#'))
      await late.gets('a retained message', [topic, `kept ${qos}`, Math.min(qos, 1), true])
    }
    await sender.publish(topic, '', 1, { retain: true })
    await early.gets('an empty message to retain', [topic, '', 1, false])
    const last = await round.connected('last')
    await last.subscribe(topic)
    await last.getsNothing('nothing is retained any more', sender)
  },

  async wills(round) {
    const watcher = await round.connected('watch')
    await watcher.subscribe(round.topic('will/#'), 2)
    for (const qos of [0, 1, 2]) {
      const topic = round.topic(`will/${qos}`)
      const will = { topic, payload: 'gone', qos, retain: qos === 1 }
      await (await round.connected(`polite${qos}`, { will })).disconnect()
      await watcher.getsNothing('who takes leave has no will', watcher)
      const lost = await round.connected(`lost${qos}`, { will })
      lost.lose()
      await watcher.gets('the will of a lost client', [topic, 'gone', qos, false])
    }
    const late = await round.connected('late')
    await late.subscribe(round.topic('will/+'))
    await late.gets('a retained will', [round.topic('will/1'), 'gone', 1, true])
    await late.publish(round.topic('will/1'), '', 1, { retain: true })
  },

  async sessions(round) {
    const sender = await round.connected('from')
    const topic = round.topic('session')
    const first = round.client('sleeper', round.lasting())
    same('whether there is a session yet', (await first.connack()).sessionPresent, false)
    await first.subscribe(topic, 2)
    await first.disconnect()
    const wanted = []
    for (const qos of [1, 2]) {
      for (let number = 0; number < 20; number += 1) {
        await sender.publish(topic, String(number), qos)
        wanted.push([topic, String(number), qos, false])
      }
    }
    const second = round.client('sleeper', round.lasting())
    const { sessionPresent } = await second.connack()
    // MQTT 3.1 has no such flag.
    if (round.version !== '3.1') same('whether the session is there', sessionPresent, true)
    await second.gets('what waited', ...wanted)
    await second.disconnect()
    const third = round.client('sleeper')
    same('whether a session that begins anew was there', (await third.connack()).sessionPresent, false)
    await sender.publish(topic, 'nobody')
    await third.getsNothing('its subscription is gone', sender)
  },

  async comesBackAtOnce(round) {
    const watcher = await round.connected('watch')
    await watcher.subscribe(round.topic('back'))
    const options = { ...round.lasting(), will: { topic: round.topic('back'), payload: 'gone', qos: 1 } }
    for (let number = 0; number < 10; number += 1) {
      await (await round.connected('back', options)).disconnect()
    }
    await watcher.getsNothing('who takes leave and comes back has no will', watcher)
  },

  async takenOver(round) {
    const watcher = await round.connected('watch')
    await watcher.subscribe(round.topic('over/#'))
    const topic = round.topic('over/will')
    const first = await round.connected('twin', { will: { topic, payload: 'gone', qos: 1 } })
    const second = await round.connected('twin')
    if (round.version === '5') same('why the first one must go', (await first.ends.next('DISCONNECT')).reasonCode, 0x8e)
    await watcher.gets('the will of the first one', [topic, 'gone', 1, false])
    await second.publish(round.topic('over/on'), 'on')
    await watcher.gets('what the second one says', [round.topic('over/on'), 'on', 1, false])
  },

  async inOrder(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    // MQTT.js does not heed the server's receive maximum, which is 128.
    const numbers = Array.from({ length: 120 }, (_, number) => String(number))
    for (const qos of [0, 1, 2]) {
      const topic = round.topic(`order/${qos}`)
      await receiver.subscribe(topic, qos)
      await Promise.all(numbers.map((number) => sender.publish(topic, number, qos)))
      await receiver.gets('many at once', ...numbers.map((number) => [topic, number, qos, false]))
    }
  },

  async shared(round) {
    const sender = await round.connected('from')
    const members = [await round.connected('member0'), await round.connected('member1')]
    members[1].messages = members[0].messages
    const [filter, topic] = [`$share/group/${round.topic('shared/#')}`, round.topic('shared/a')]
    for (const member of members) await member.subscribe(filter)
    for (let number = 0; number < 40; number += 1) await sender.publish(topic, String(number))
    const got = []
    for (let number = 0; number < 40; number += 1) got.push(Number((await members[0].message()).payload))
    same('what the members of a group get together', new Set(got).size, 40)
    for (const member of members) await member.unsubscribe(filter)
    await sender.publish(topic, 'nobody')
    await members[0].getsNothing('the group has no member', sender)
  },

  async logins(round) {
    await (await round.connected('ann', LOGIN)).disconnect()
    const wanted = round.version === '5' ? 0x86 : 4
    const wrong = round.client('wrong', { username: 'ann', password: 'wrong' })
    same('the answer to a wrong password', await wrong.refused(), wanted)
    const nobody = round.client('nobody', { username: 'bob', password: 'right' })
    same('the answer to somebody unknown', await nobody.refused(), wanted)
  },
}

async function run(version, name, way, wrong) {
  for (const [title, exchange] of Object.entries({ ...EXCHANGES, ...(version === '5' ? FIFTH : {}) })) {
    const round = new Round(version, name, way)
    try {
      await exchange(round)
    } catch (error) {
      wrong.push(`MQTT ${version} over ${name}, ${title}: ${error instanceof Difference ? error.message : error.stack}`)
    }
    await Promise.all(round.clients.map((client) => client.mqtt.endAsync(true)))
  }
}

const wrong = []
const found = Object.entries(ways(JSON.parse(process.argv[2])))
await Promise.all(
  Object.keys(VERSIONS).flatMap((version) => found.map(([name, way]) => run(version, name, way, wrong))),
)
end(wrong)
