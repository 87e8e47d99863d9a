/** The broker panel: what devices publish is seen, a topic becomes a node, messages go out by hand, clients are cut off. */
import mqtt, { type MqttClient } from 'mqtt'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, launch, open } from './browser'
import { startFlowrill, type Flowrill } from './server'

const chromium = browserPath()
if (!chromium) console.info('left out: no Chromium (set CHROMIUM to its program)')

describe.runIf(chromium)('the broker panel', () => {
  let server: Flowrill
  let browser: Browser
  let device: MqttClient
  let page: Page

  beforeAll(async () => {
    server = await startFlowrill(['--no-sample'])
    browser = await launch(chromium ?? '')
    device = await mqtt.connectAsync(server.mqtt, { clientId: 'thermometer', reconnectPeriod: 0 })
    page = await open(browser, server.url)
    await page.getByTestId('face-broker').click()
  })
  afterAll(async () => {
    await device.endAsync(true)
    await browser.close()
    await server.stop()
  })

  const row = (name: string) => page.getByTestId('topic-row').filter({ hasText: name })
  const shows = (name: string, text: string) => row(name).filter({ hasText: text }).waitFor()

  it('shows topics as they come, by pointer and by keys', async () => {
    await device.publishAsync('site/hall/temperature', '20.5')
    await row('site').click()
    await row('hall').focus()
    await page.keyboard.press('ArrowRight')
    await shows('temperature', '20.5')
    await device.publishAsync('site/hall/temperature', '21.5')
    await shows('temperature', '21.5')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const details = page.getByTestId('topic-details')
    expect(await details.locator('h3').textContent()).toBe('site/hall/temperature')
    await details.locator('svg[role="img"] path').waitFor()
  })

  it('makes a node of a topic that is dragged onto the canvas', async () => {
    await row('temperature').dragTo(page.getByTestId('canvas'), { targetPosition: { x: 300, y: 300 } })
    const node = page.locator('[data-testid^="node-"]')
    await node.filter({ hasText: 'site/hall/temperature' }).waitFor()
    await page.getByTestId('face-broker').click()
  })

  it('publishes by hand, and clears what is kept', async () => {
    await device.subscribeAsync('site/hall/light')
    const arrived = new Promise<string>((found) => {
      device.once('message', (_topic, payload) => {
        found(payload.toString())
      })
    })
    await page.getByTestId('publish-open').click()
    await page.getByTestId('publish-topic').fill('site/hall/light')
    await page.getByTestId('publish-payload').fill('{"on": true}')
    await page.getByTestId('publish-retain').check()
    await page.getByTestId('publish').click()
    expect(await arrived).toBe('{"on": true}')
    await row('light').click()
    await page.getByTestId('topic-clear').click()
    await page.getByTestId('topic-clear').waitFor({ state: 'detached' })
  })

  it('lists clients, and cuts one off', async () => {
    const closed = new Promise<void>((done) => {
      device.once('close', () => {
        done()
      })
    })
    await page.getByTestId('broker-clients').click()
    const client = page.getByTestId('broker-client').filter({ hasText: 'thermometer' })
    await client.filter({ hasText: '127.0.0.1' }).waitFor()
    await client.getByRole('button').click()
    await closed
    await client.waitFor({ state: 'detached' })
  })
})
