/** Flows of others come back unchanged: nodes that Flowrill does not know, groups, and properties that it has never heard of. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, launch, open } from './browser'
import { startFlowrill, type Flowrill } from './server'

const chromium = browserPath()

const flows = [
  {
    id: 'a1b2c3d4.5e6f',
    type: 'tab',
    label: 'From Node-RED',
    disabled: false,
    info: 'old',
    future: { deep: [1, null, 'x'] },
  },
  {
    id: 'g1',
    type: 'group',
    z: 'a1b2c3d4.5e6f',
    name: 'Pumps',
    style: { label: true, fill: '#ffefbf' },
    nodes: ['n1', 'n2'],
    x: 34,
    y: 19,
    w: 412,
    h: 82,
  },
  {
    id: 'n1',
    type: 'ui_gauge',
    z: 'a1b2c3d4.5e6f',
    g: 'g1',
    name: '',
    group: 'u1',
    order: 3,
    width: '6',
    gtype: 'gage',
    x: 150,
    y: 60,
    wires: [['n2']],
  },
  {
    id: 'n2',
    type: 'debug',
    z: 'a1b2c3d4.5e6f',
    g: 'g1',
    name: 'look',
    active: true,
    tosidebar: true,
    console: false,
    complete: 'payload',
    targetType: 'msg',
    statusVal: '',
    unheard: '1.50',
    x: 360,
    y: 60,
    wires: [],
  },
  { id: 'u1', type: 'ui_group', name: 'Hall', tab: '', order: 1, disp: true },
]

describe.runIf(chromium)('a flow from elsewhere', () => {
  let server: Flowrill
  let browser: Browser

  beforeAll(async () => {
    server = await startFlowrill(['--no-sample'])
    browser = await launch(chromium ?? '')
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  it('is imported, deployed and served as it was', async () => {
    const page = await open(browser, server.url)
    await page.getByTestId('menu').click()
    await page.getByTestId('import').click()
    await page.getByTestId('import-text').fill(JSON.stringify(flows))
    await page.getByTestId('import-confirm').click()
    await page.getByTestId('node-n1').waitFor()
    await page.getByTestId('deploy').click()
    await page.waitForFunction(() => !document.querySelector('[data-testid="deploy-count"]'))
    const served = (await (await fetch(`${server.url}/flows`)).json()) as { id: string }[]
    for (const item of flows) expect(served.find((other) => other.id === item.id)).toEqual(item)
  })
})
