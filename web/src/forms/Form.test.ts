import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { NodeTexts, Property } from '../api/types'
import Form from './Form.svelte'

const texts: NodeTexts = {
  label: 'test',
  properties: { name: { label: 'Title', hint: 'A hint' }, rules: { label: 'Rules' }, 'rules.v': { label: 'Value' } },
}

function show(properties: Property[], values: Record<string, unknown> = {}) {
  const change = vi.fn()
  render(Form, { properties, texts, values: values as never, change })
  return change
}

afterEach(cleanup)

describe('Form', () => {
  it('shows labels and hints and takes changes', async () => {
    const change = show([{ name: 'name', kind: 'text' }], { name: 'a' })
    const input = screen.getByLabelText('Title')
    expect(screen.getByText('A hint')).toBeTruthy()
    await fireEvent.input(input, { target: { value: 'ab' } })
    expect(change).toHaveBeenCalledWith({ name: 'ab' }, true)
  })

  it('hides what a condition excludes', () => {
    show([
      { name: 'mode', kind: 'select', options: ['a', 'b'], default: 'a' },
      { name: 'x', kind: 'text', when: { mode: 'b' } },
    ])
    expect(screen.queryByTestId('field-x')).toBeNull()
  })

  it('says what is wrong', () => {
    show([{ name: 'count', kind: 'number', min: 1 }], { count: 0 })
    expect(screen.getByText('Must be at least 1.')).toBeTruthy()
  })

  it('adds entries to a list and keeps their keys', async () => {
    const property: Property = { name: 'rules', kind: 'list', fields: [{ name: 'v', kind: 'text', default: 'x' }] }
    const change = show([property], { rules: [{ v: 'a', extra: 1 }] })
    await fireEvent.click(screen.getByTestId('list-add-rules'))
    expect(change).toHaveBeenCalledWith({ rules: [{ v: 'a', extra: 1 }, { v: 'x' }] }, false)
    await fireEvent.input(screen.getByLabelText('Value'), { target: { value: 'b' } })
    expect(change).toHaveBeenCalledWith({ rules: [{ v: 'b', extra: 1 }] }, true)
  })

  it('shows of two fields with one name the one that counts', async () => {
    const fields: Property[] = [
      { name: 't', kind: 'select', options: ['eq', 'istype'] },
      { name: 'v', kind: 'text', when: { t: 'eq' } },
      { name: 'v', kind: 'select', options: ['array', 'null'], typeProperty: 'vt', when: { t: 'istype' } },
    ]
    const change = show([{ name: 'rules', kind: 'list', fields }], {
      rules: [{ t: 'istype', v: 'array', vt: 'array' }],
    })
    await fireEvent.change(screen.getByLabelText('Value'), { target: { value: 'null' } })
    expect(change).toHaveBeenCalledWith({ rules: [{ t: 'istype', v: 'null', vt: 'null' }] }, false)
  })

  it('never shows a stored secret', async () => {
    const change = show([{ name: 'password', kind: 'secret' }], { has_password: true })
    expect(screen.getByText('Set, and kept secret')).toBeTruthy()
    await fireEvent.click(screen.getByText('Clear'))
    expect(change).toHaveBeenCalledWith({ password: '' })
  })

  it('keeps a number a number', async () => {
    const change = show([{ name: 'count', kind: 'number' }], { count: 1 })
    const input = screen.getByLabelText('count')
    await fireEvent.input(input, { target: { value: '12' } })
    expect(change).toHaveBeenCalledWith({ count: 12 }, true)
    await fireEvent.input(input, { target: { value: '1x' } })
    expect(change).toHaveBeenCalledWith({ count: '1x' }, true)
  })
})
