/** What a person chose about the page: theme, panels, language. Kept in the browser, this one only. */
import { pickLanguage, setLanguage, type LanguageCode } from '../i18n/t.svelte'

/** `auto` follows the system. */
export type Theme = 'auto' | 'light' | 'dark'

/** The faces of the right panel. */
export type PanelFace = 'node' | 'debug' | 'broker' | 'config'

/** Reads a remembered value; without storage, or with something else in it, the fallback. */
export function remembered<T>(key: string, fallback: T, accept: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(`flowrill.${key}`)
    if (text === null) return fallback
    const value: unknown = JSON.parse(text)
    return accept(value) ? value : fallback
  } catch {
    return fallback
  }
}

/** Remembers a value; a browser without storage forgets it, which is no reason to stop. */
export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`flowrill.${key}`, JSON.stringify(value))
  } catch {
    return
  }
}

const isBool = (value: unknown): value is boolean => typeof value === 'boolean'
const isWidth = (value: unknown): value is number => typeof value === 'number' && value >= 120 && value <= 1200
const faces: readonly unknown[] = ['node', 'debug', 'broker', 'config'] satisfies PanelFace[]
const isFace = (value: unknown): value is PanelFace => faces.includes(value)

/** The theme stands as plain text, so that the page's head can read it before the first paint. */
function storedTheme(): Theme {
  try {
    const theme = localStorage.getItem('flowrill.theme')
    return theme === 'light' || theme === 'dark' ? theme : 'auto'
  } catch {
    return 'auto'
  }
}

class Settings {
  #theme = $state<Theme>(storedTheme())
  #left = $state(remembered('left', 220, isWidth))
  #right = $state(remembered('right', 360, isWidth))
  #leftOpen = $state(remembered('leftOpen', true, isBool))
  #rightOpen = $state(remembered('rightOpen', true, isBool))
  #face = $state<PanelFace>(remembered('face', 'debug', isFace))
  /** Whether the right panel has half of the window, for code. Not remembered. */
  wide = $state(false)
  /** Whether panels lie over the canvas, as on tablets and phones; only one of them is open then. */
  narrow = $state(false)
  #drawer = $state<'left' | 'right' | null>(null)

  get theme(): Theme {
    return this.#theme
  }
  set theme(theme: Theme) {
    this.#theme = theme
    try {
      if (theme === 'auto') localStorage.removeItem('flowrill.theme')
      else localStorage.setItem('flowrill.theme', theme)
    } catch {
      // The choice holds until the page is left.
    }
    if (theme === 'auto') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme
  }

  get left(): number {
    return this.#left
  }
  set left(width: number) {
    this.#left = width
    remember('left', width)
  }
  get right(): number {
    return this.#right
  }
  set right(width: number) {
    this.#right = width
    remember('right', width)
  }

  get leftOpen(): boolean {
    return this.narrow ? this.#drawer === 'left' : this.#leftOpen
  }
  set leftOpen(open: boolean) {
    if (this.narrow) {
      this.#drawer = open ? 'left' : null
      return
    }
    this.#leftOpen = open
    remember('leftOpen', open)
  }
  get rightOpen(): boolean {
    return this.narrow ? this.#drawer === 'right' : this.#rightOpen
  }
  set rightOpen(open: boolean) {
    if (this.narrow) {
      this.#drawer = open ? 'right' : null
      return
    }
    this.#rightOpen = open
    remember('rightOpen', open)
  }

  get face(): PanelFace {
    return this.#face
  }
  set face(face: PanelFace) {
    this.#face = face
    remember('face', face)
  }

  /** Shows a face of the right panel. */
  show(face: PanelFace): void {
    this.face = face
    this.rightOpen = true
  }

  /** Takes a language and remembers it. */
  async setLanguage(code: LanguageCode): Promise<void> {
    await setLanguage(code)
    remember('language', code)
  }

  /** The remembered language, or the best of those the browser asks for. */
  wishedLanguage(): LanguageCode {
    const stored = remembered('language', '', (value): value is string => typeof value === 'string')
    return pickLanguage(stored === '' ? navigator.languages : [stored, ...navigator.languages])
  }
}

/** The settings of this browser. */
export const settings = new Settings()
