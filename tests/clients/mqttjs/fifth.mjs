/** What only MQTT 5 has. */
import { Client, same } from './client.mjs'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

const wait = (milliseconds) => new Promise((over) => setTimeout(over, milliseconds))

export const FIFTH = {
  async travellingProperties(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    const topic = round.topic('properties')
    const sent = {
      payloadFormatIndicator: true,
      contentType: 'text/plain',
      responseTopic: 'answer/here',
      correlationData: EVERY_BYTE,
      userProperties: { a: ['1', '3'], b: '2' },
    }
    await receiver.subscribe(topic, 2, { properties: { subscriptionIdentifier: 300 } })
    for (const qos of [0, 1, 2]) {
      await sender.publish(topic, '21', qos, { properties: { ...sent, messageExpiryInterval: 100 } })
      const { payload, properties } = await receiver.message()
      same('a message with properties', String(payload), '21')
      for (const [name, value] of Object.entries(sent)) same(name, properties[name], value)
      same('the subscription identifier', properties.subscriptionIdentifier, 300)
      same('that the expiry counts down', properties.messageExpiryInterval > 90, true)
    }
  },

  async requestAndResponse(round) {
    const [asker, answerer] = [await round.connected('ask'), await round.connected('answer')]
    const [question, answers] = [round.topic('question'), round.topic('answers')]
    await asker.subscribe(answers)
    await answerer.subscribe(question)
    for (let number = 0; number < 5; number += 1) {
      const correlationData = Buffer.from(`c${number}`)
      await asker.publish(question, String(number), 1, { properties: { responseTopic: answers, correlationData } })
      const { payload, properties } = await answerer.message()
      const given = { properties: { correlationData: properties.correlationData } }
      await answerer.publish(properties.responseTopic, String(2 * Number(payload)), 1, given)
      const answer = await asker.message()
      same(
        'an answer',
        [String(answer.payload), String(answer.properties.correlationData)],
        [String(2 * number), `c${number}`],
      )
    }
  },

  async subscriptionOptions(round) {
    const [sender, receiver] = [await round.connected('from'), await round.connected('to')]
    const topic = round.topic('options')
    await sender.subscribe(topic, 1, { nl: true })
    await receiver.subscribe(topic, 1, { rap: true })
    await sender.publish(topic, 'kept', 1, { retain: true })
    await receiver.gets('retained as published', [topic, 'kept', 1, true])
    await sender.getsNothing('no local', receiver)
    await receiver.subscribe(topic, 1, { rh: 1 })
    await receiver.getsNothing('retained messages only for new subscriptions', sender)
    await receiver.subscribe(topic, 1, { rh: 0 })
    await receiver.gets('retained messages again', [topic, 'kept', 1, true])
    await receiver.subscribe(topic, 1, { rh: 2 })
    await receiver.getsNothing('no retained messages', sender)
    await sender.publish(topic, '', 1, { retain: true })
  },

  async smallPackets(round) {
    const sender = await round.connected('from')
    const receiver = await round.connected('to', { properties: { maximumPacketSize: 200, receiveMaximum: 2 } })
    const topic = round.topic('small')
    await receiver.subscribe(topic, 2)
    for (const payload of ['a', 'b'.repeat(300), 'c']) await sender.publish(topic, payload, 2)
    await receiver.gets('only what is small enough', [topic, 'a', 2, false], [topic, 'c', 2, false])
    const numbers = Array.from({ length: 20 }, (_, number) => String(number))
    for (const number of numbers) await sender.publish(topic, number, 2)
    await receiver.gets('two at a time', ...numbers.map((number) => [topic, number, 2, false]))
  },

  async aliases(round) {
    const sender = await round.connected('from', { autoUseTopicAlias: true, autoAssignTopicAlias: true })
    const receiver = await round.connected('to', { properties: { topicAliasMaximum: 3 } })
    await receiver.subscribe(round.topic('alias/+'))
    // More topics than either may have aliases for, each of them again and again.
    for (let number = 0; number < 300; number += 1) {
      const topic = round.topic(`alias/${number % 100}`)
      await sender.publish(topic, String(number))
      await receiver.gets('by aliases', [topic, String(number), 1, false])
    }
  },

  async reasonCodes(round) {
    const sender = await round.connected('from')
    const reasons = []
    sender.mqtt.on('packetreceive', ({ cmd, reasonCode }) => reasons.push([cmd, reasonCode]))
    for (const qos of [1, 2]) await sender.publish(round.topic('nobody/listens'), '', qos)
    await sender.unsubscribe(round.topic('never'))
    // A message of QoS 2 goes to its subscribers, if there are any, only once it is released.
    same('the reasons where nobody listens', reasons.slice(0, 3), [
      ['puback', 0x10],
      ['pubrec', 0],
      ['pubcomp', 0],
    ])
  },

  async names(round) {
    const nameless = new Client(round.way, round.version, '')
    const { properties } = await nameless.connack()
    same('whether a name is given', Boolean(properties.assignedClientIdentifier), true)
    await nameless.disconnect()
  },

  async expiry(round) {
    const sender = await round.connected('from')
    const topic = round.topic('expiry')
    const sleeper = (name, sessionExpiryInterval) =>
      round.connected(name, { clean: false, properties: { sessionExpiryInterval } })
    const first = await sleeper('expiring', 30)
    await first.subscribe(topic)
    await first.disconnect()
    await (await sleeper('now', 100)).disconnect({ properties: { sessionExpiryInterval: 0 } })
    await (await sleeper('brief', 1)).disconnect()
    await sender.publish(topic, 'short', 1, { properties: { messageExpiryInterval: 1 } })
    await sender.publish(topic, 'long', 1, { properties: { messageExpiryInterval: 100 } })
    await wait(2100)
    for (const [name, wanted] of [
      ['now', false],
      ['brief', false],
      ['expiring', true],
    ]) {
      const client = round.client(name, { clean: false, properties: { sessionExpiryInterval: 30 } })
      same(`whether the session of ${name} is there`, (await client.connack()).sessionPresent, wanted)
      if (wanted) await client.gets('what has not expired', [topic, 'long', 1, false])
    }
  },

  async willsOf5(round) {
    const watcher = await round.connected('watch')
    await watcher.subscribe(round.topic('will5/#'))
    const options = (name, properties) => ({
      clean: false,
      properties: { sessionExpiryInterval: 60 },
      will: { topic: round.topic(`will5/${name}`), payload: 'gone', qos: 1, properties },
    })
    const asked = await round.connected('asked', options('asked', { contentType: 'text/plain' }))
    await asked.disconnect({ reasonCode: 4 })
    const got = await watcher.message()
    same(
      'a will that is asked for',
      [got.topic, got.properties.contentType],
      [round.topic('will5/asked'), 'text/plain'],
    )
    const back = await round.connected('back', options('back', { willDelayInterval: 1 }))
    back.lose()
    const again = await round.connected('back', { clean: false, properties: { sessionExpiryInterval: 60 } })
    const waits = await round.connected('waits', options('waits', { willDelayInterval: 1 }))
    waits.lose()
    await watcher.gets('a will with a delay', [round.topic('will5/waits'), 'gone', 1, false])
    await watcher.getsNothing('who is back in time has no will', again)
  },
}
