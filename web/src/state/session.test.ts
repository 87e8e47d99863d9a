import { beforeEach, describe, expect, it, vi } from 'vitest'
import { debug } from './debug.svelte'
import { deploy } from './deploy.svelte'
import { editor } from './editor.svelte'
import { live } from './live.svelte'
import { session } from './session.svelte'

const flows = [
  { id: 't', type: 'tab', label: 'a' },
  { id: 'n', type: 'inject', z: 't', x: 100, y: 100, wires: [[]] },
]

/** A server that answers each call with the next of these. */
function answers(...list: { status?: number; body: unknown }[]) {
  const fetched = vi.fn(() => {
    const { status = 200, body } = list.shift() ?? { status: 500, body: {} }
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  })
  vi.stubGlobal('fetch', fetched)
  return fetched
}

beforeEach(() => {
  debug.clear()
  live.clear()
  deploy.conflict = false
  editor.load(flows, 'r1')
})

describe('session', () => {
  it('hands frames to where they belong', () => {
    session.take([
      { topic: 'debug', data: { id: 'n', msg: 'x', format: 'string[1]' } },
      { topic: 'debug', data: { id: 'n', msg: 'no', level: 20 } },
      { topic: 'status/n', data: { fill: 'red', text: 'off' } },
      { topic: 'notification/problems', data: { problems: [{ node: 'n', level: 'error', code: 'c', message: 'm' }] } },
      { topic: 'hb', data: 1 },
    ])
    expect(debug.entries).toHaveLength(2)
    expect(live.cell('n').errors).toBe(1)
    expect(live.status('n')).toEqual({ fill: 'red', text: 'off' })
    expect(deploy.problems).toHaveLength(1)
  })
})

describe('deploy', () => {
  it('sends the version that the flows were made from, and counts anew afterwards', async () => {
    editor.change('edit', (draft) => {
      draft.update('n', { name: 'b' })
    })
    expect(editor.changeCount).toBe(1)
    const fetched = answers({ body: { rev: 'r2' } }, { body: { problems: [] } })
    await deploy.run()
    const [, init] = fetched.mock.calls[0] as unknown as [string, { body: string }]
    expect(JSON.parse(init.body)).toMatchObject({ rev: 'r1' })
    expect(editor.rev).toBe('r2')
    expect(editor.changeCount).toBe(0)
  })

  it('lets the person choose when somebody else was faster', async () => {
    editor.change('edit', (draft) => {
      draft.update('n', { name: 'b' })
    })
    answers({ status: 409, body: { code: 'version_mismatch', message: 'no' } })
    await deploy.run()
    expect(deploy.conflict).toBe(true)
    expect(editor.changeCount).toBe(1)

    answers({ body: { flows, rev: 'r9' } }, { body: { problems: [] } })
    await deploy.takeTheirs()
    expect(deploy.conflict).toBe(false)
    expect(editor.rev).toBe('r9')
    expect(editor.changeCount).toBe(0)
  })
})
