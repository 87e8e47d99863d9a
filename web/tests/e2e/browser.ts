/** The browser that the tests drive: Debian's Chromium, or the one that `CHROMIUM` names. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser's program, or none. Where nothing may be left out (CI), its absence is an error. */
export function browserPath(): string | undefined {
  const path = process.env['CHROMIUM'] ?? places.find((place) => existsSync(place))
  if (!path && process.env['FLOWRILL_TEST_ALL'])
    throw new Error('no Chromium was found, and nothing may be left out here')
  return path
}

/** Starts the browser. */
export function launch(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu'] })
}

/** Opens the editor in a window of this size, and fails the test on any error that the page reports. */
export async function open(
  browser: Browser,
  url: string,
  options: { width?: number; height?: number; dark?: boolean } = {},
): Promise<Page> {
  const { width = 1440, height = 900, dark = false } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-US',
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(url)
  await page.getByTestId('canvas').waitFor()
  return page
}

async function middle(target: Locator): Promise<{ x: number; y: number }> {
  const box = await target.boundingBox()
  if (!box) throw new Error(`${target.toString()} is not on the page`)
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** Drags with the real pointer, in steps as a hand would. */
export async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  const [start, end] = [await middle(from), await middle(to)]
  await page.mouse.move(start.x, start.y)
  await page.mouse.down()
  await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 5 })
  await page.mouse.move(end.x, end.y, { steps: 5 })
  await page.mouse.up()
}

/** Drags a type from the palette to a place on the canvas, and gives the new node's id. */
export async function place(page: Page, type: string, x: number, y: number): Promise<string> {
  const nodes = page.locator('[data-testid^="node-"]')
  const before = new Set(await nodes.evaluateAll((all) => all.map((node) => node.getAttribute('data-testid'))))
  const canvas = page.getByTestId('canvas')
  await page.getByTestId(`palette-item-${type.replaceAll(' ', '-')}`).dragTo(canvas, { targetPosition: { x, y } })
  await page.waitForFunction((count) => document.querySelectorAll('[data-testid^="node-"]').length > count, before.size)
  const after = await nodes.evaluateAll((all) => all.map((node) => node.getAttribute('data-testid')))
  const added = after.find((id) => id && !before.has(id))
  if (!added) throw new Error(`no ${type} was added`)
  return added.slice('node-'.length)
}
