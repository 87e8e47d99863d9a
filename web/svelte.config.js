/** How Svelte components are compiled: runes everywhere, so that reactivity is always visible in the code. */
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true },
}
