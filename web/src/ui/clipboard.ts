/** The clipboard, also where the page is served without TLS and the browser keeps the modern one from it. */
import { t } from '../i18n/t.svelte'
import { toast } from './toast.svelte'

/** Copies a text and says so. Answers whether it worked. */
export async function copy(text: string): Promise<boolean> {
  const done = (await viaApi(text)) || viaSelection(text)
  if (done) toast.show({ level: 'success', text: t('ui.copied'), key: 'clipboard' })
  else toast.show({ level: 'warning', text: t('ui.notCopied'), key: 'clipboard' })
  return done
}

async function viaApi(text: string): Promise<boolean> {
  if (!window.isSecureContext) return false
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** The old way: a marked text field. A dialog makes the rest of the page inert, so the field goes into the open one. */
function viaSelection(text: string): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.style.cssText = 'position:fixed;opacity:0'
  const before = document.activeElement
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(field)
  field.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without TLS
  const done = document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}
