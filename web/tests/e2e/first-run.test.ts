/** What somebody sees who starts Flowrill for the first time. */
import { mkdirSync } from 'node:fs'
import mqtt from 'mqtt'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, launch, open } from './browser'
import { startFlowrill, type Flowrill } from './server'

const chromium = browserPath()
const output = 'tests/e2e/output'

describe.runIf(chromium)('the first start', () => {
  let server: Flowrill
  let browser: Browser

  beforeAll(async () => {
    mkdirSync(output, { recursive: true })
    server = await startFlowrill()
    browser = await launch(chromium ?? '')
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  it('shows a flow that already moves', async () => {
    const page = await open(browser, server.url)
    await page.getByRole('tab', { name: /debug/i }).click()
    await page.getByTestId('debug-entry').nth(1).waitFor({ timeout: 20_000 })
    // Status lines hold what the function computed.
    await page.getByText('°F').first().waitFor()
    // The picture in the README is this one; `FLOWRILL_SCREENSHOT` names where it goes.
    await page.screenshot({ path: process.env['FLOWRILL_SCREENSHOT'] ?? `${output}/desktop.png` })
  })

  it('reads well on a tablet and in the dark', async () => {
    for (const [name, options] of [
      ['tablet', { width: 820, height: 1180 }],
      ['dark', { dark: true }],
      ['phone', { width: 390, height: 844 }],
    ] as const) {
      const page = await open(browser, server.url, options)
      await page.screenshot({ path: `${output}/${name}.png` })
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(sideways, `${name}: the page is wider than the window`).toBeLessThanOrEqual(0)
      await page.context().close()
    }
  })

  it('passes on what another program publishes', async () => {
    const client = await mqtt.connectAsync(server.mqtt)
    await client.subscribeAsync('out/#')
    const answers: string[] = []
    client.on('message', (_topic, payload) => answers.push(payload.toString()))
    await client.publishAsync('demo/sensor', '100')
    await expect.poll(() => answers.some((answer) => answer.includes('212')), { timeout: 10_000 }).toBe(true)
    await client.endAsync()
  })
})
