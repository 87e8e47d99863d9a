/** The editor's start: language, actions, the page. */
import { mount } from 'svelte'
import App from './App.svelte'
import { registerShellActions } from './features/shell/actions'
import { setLanguage } from './i18n/t.svelte'
import { settings } from './state/settings.svelte'
import './styles/tokens.css'
import './styles/base.css'

registerShellActions()

try {
  await setLanguage(settings.wishedLanguage())
} catch {
  // English is part of the page and stands in.
  document.documentElement.lang = 'en'
}

const target = document.getElementById('app')
if (target) mount(App, { target })
