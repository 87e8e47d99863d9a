/**
 * Texts of the editor, in the person's language: `t('debug.clear')`.
 *
 * English is part of the page; other languages are fetched when they are chosen, and a key that they lack shows in English.
 * A language is a pair of flat JSON files (`<lang>.json` for the panels, `shell.<lang>.json` for the frame and the canvas)
 * and a line in {@link languages}. `t` reads reactive state, so that templates follow a change of the language.
 */
import en from './en.json'
import shellEn from './shell.en.json'

const english = { ...en, ...shellEn }

/** The name of a text. */
export type TextKey = keyof typeof english

/** What stands for `{name}` in a text. */
export type TextParams = Record<string, string | number>

type Texts = Partial<Record<string, string>>

interface Language {
  /** Its name in itself. */
  name: string
  load: () => Promise<Texts>
}

const languages = {
  en: { name: 'English', load: () => Promise.resolve({}) },
  'zh-CN': {
    name: '简体中文',
    load: async () => {
      const [panels, shell] = await Promise.all([import('./zh-CN.json'), import('./shell.zh-CN.json')])
      return { ...panels.default, ...shell.default }
    },
  },
} satisfies Record<string, Language>

/** The code of a language that the editor speaks. */
export type LanguageCode = keyof typeof languages

let current = $state<LanguageCode>('en')
let texts = $state.raw<Texts>({})

/** The languages to choose from, each with its own name. */
export function availableLanguages(): { code: LanguageCode; name: string }[] {
  return (Object.keys(languages) as LanguageCode[]).map((code) => ({ code, name: languages[code].name }))
}

/** The language that texts come in at the moment. */
export function language(): LanguageCode {
  return current
}

/** The first of the wished languages that the editor speaks, by exact code, then by its first part; else English. */
export function pickLanguage(wished: readonly string[]): LanguageCode {
  const codes = Object.keys(languages) as LanguageCode[]
  for (const wish of wished) {
    const exact = codes.find((code) => code.toLowerCase() === wish.toLowerCase())
    if (exact) return exact
    // Traditional Chinese is no variant of simplified Chinese: its readers are better served in English.
    if (/^zh-(tw|hk|mo|hant)/i.test(wish)) continue
    const base = wish.toLowerCase().split('-')[0]
    const near = codes.find((code) => code.toLowerCase().split('-')[0] === base)
    if (near) return near
  }
  return 'en'
}

/** Switches to a language; the page keeps the old one when the new one can't be loaded. */
export async function setLanguage(code: LanguageCode): Promise<void> {
  texts = await languages[code].load()
  current = code
  document.documentElement.lang = code
}

/** Puts values in the place of `{name}`; a name without a value stays as it is. */
export function fill(text: string, params: TextParams): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    return value === undefined ? whole : String(value)
  })
}

/** The text of this name in the current language. A key with a `_one` twin uses that when `count` is 1. */
export function t(key: TextKey, params: TextParams = {}): string {
  const singular = `${key}_one`
  const name = params['count'] === 1 && singular in english ? singular : key
  const text = texts[name] ?? english[name as TextKey]
  return fill(text, params)
}
