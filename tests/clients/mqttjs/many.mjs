/** A thousand clients of MQTT.js at the same time: many.mjs '{"tcp": "host:port", …}'. */
import { Client, Difference, VERSIONS, end, same, ways } from './client.mjs'

const CLIENTS = 1000

async function run() {
  const all = Object.entries(ways(JSON.parse(process.argv[2])))
  const versions = Object.keys(VERSIONS)
  const clients = Array.from({ length: CLIENTS }, (_, number) => {
    // Most come in plainly; each way has its share.
    const [, way] = all[number % 10 < all.length ? number % 10 : 0]
    return new Client(way, versions[number % versions.length], `many-${number}`)
  })
  await Promise.all(clients.map((client) => client.connack()))
  await Promise.all(clients.map((client, number) => client.subscribe(`many/${number}`, number % 3)))
  await Promise.all(clients.map((client, number) => client.subscribe('many/all', (number + 1) % 3)))
  // Each to its neighbour, then one to all.
  await Promise.all(
    clients.map((client, number) => client.publish(`many/${(number + 1) % CLIENTS}`, String(number), 1)),
  )
  for (const [number, client] of clients.entries()) {
    const from = (number + CLIENTS - 1) % CLIENTS
    await client.gets('its neighbour’s message', [`many/${number}`, String(from), Math.min(number % 3, 1), false])
  }
  await clients[0].publish('many/all', 'all', 2)
  for (const [number, client] of clients.entries()) {
    await client.gets('the message to all', ['many/all', 'all', (number + 1) % 3, false])
  }
  same('how many are still connected', clients.filter((client) => client.mqtt.connected).length, CLIENTS)
  await Promise.all(clients.map((client) => client.disconnect()))
}

try {
  await run()
  end([])
} catch (error) {
  end([error instanceof Difference ? error.message : error.stack])
}
