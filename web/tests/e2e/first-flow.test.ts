/** The main job: drag, wire, write code, deploy, and messages flow. */
import mqtt, { type MqttClient } from 'mqtt'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, drag, launch, open, place } from './browser'
import { startFlowrill, type Flowrill } from './server'

const chromium = browserPath()
if (!chromium) console.info('left out: no Chromium (set CHROMIUM to its program)')

/** The next message on a topic after `act` was done. */
async function answer(client: MqttClient, topic: string, act: () => Promise<unknown>): Promise<string> {
  await client.subscribeAsync(topic)
  const next = new Promise<string>((found) => {
    client.on('message', (on, payload) => {
      if (on === topic) found(payload.toString())
    })
  })
  await act()
  return next
}

describe.runIf(chromium)('a first flow', () => {
  let server: Flowrill
  let browser: Browser
  let client: MqttClient
  let page: Page

  beforeAll(async () => {
    server = await startFlowrill(['--no-sample'])
    browser = await launch(chromium ?? '')
    client = await mqtt.connectAsync(server.mqtt)
    page = await open(browser, server.url)
  })
  afterAll(async () => {
    await client.endAsync()
    await browser.close()
    await server.stop()
  })

  async function type(field: string, text: string): Promise<void> {
    await page.getByTestId(`field-${field}`).locator('input').first().fill(text)
  }

  async function deploy(): Promise<void> {
    await page.getByTestId('deploy').click()
    await page.waitForFunction(() => !document.querySelector('[data-testid="deploy-count"]'))
  }

  it('is drawn, deployed, and answers a real MQTT client', async () => {
    const input = await place(page, 'mqtt in', 160, 160)
    await page.getByTestId(`node-${input}`).dblclick()
    await type('topic', 'workshop/celsius')
    const code = await place(page, 'function', 380, 160)
    await page.getByTestId(`node-${code}`).dblclick()
    const editor = page.getByTestId('code-func').locator('.cm-content')
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('msg.payload = Number(msg.payload) * 9 / 5 + 32\nreturn msg')
    const output = await place(page, 'mqtt out', 600, 160)
    await page.getByTestId(`node-${output}`).dblclick()
    await type('topic', 'workshop/fahrenheit')
    const debug = await place(page, 'debug', 600, 260)
    await drag(page, page.getByTestId(`port-out-${input}-0`), page.getByTestId(`port-in-${code}`))
    await drag(page, page.getByTestId(`port-out-${code}-0`), page.getByTestId(`port-in-${output}`))
    // Wires can be drawn from either end.
    await drag(page, page.getByTestId(`port-in-${debug}`), page.getByTestId(`port-out-${code}-0`))
    await page.getByTestId(`wire-${code}-0-${debug}`).waitFor({ state: 'attached' })
    await deploy()

    const answered = await answer(client, 'workshop/fahrenheit', () =>
      client.publishAsync('workshop/celsius', '21', { qos: 1 }),
    )
    expect(Number(answered)).toBeCloseTo(69.8)
    await page.getByRole('tab', { name: /debug/i }).click()
    const entry = page.getByTestId('debug-entry').first()
    await entry.waitFor()
    expect(await entry.textContent()).toContain('69.8')
  })

  it('is still there after a reload', async () => {
    const before = await page.locator('[data-testid^="node-"]').count()
    await page.reload()
    await page.locator('[data-testid^="node-"]').first().waitFor()
    expect(await page.locator('[data-testid^="node-"]').count()).toBe(before)
    expect(await page.locator('[data-testid^="wire-"]').count()).toBe(3)
  })

  it('undoes and redoes', async () => {
    const nodes = page.locator('[data-testid^="node-"]')
    const before = await nodes.count()
    await nodes.first().click()
    await page.keyboard.press('Delete')
    await expect.poll(() => nodes.count()).toBe(before - 1)
    await page.getByTestId('undo').click()
    await expect.poll(() => nodes.count()).toBe(before)
    expect(await page.locator('[data-testid^="wire-"]').count()).toBe(3)
  })
})
