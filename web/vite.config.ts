/** Build, dev server and tests of the editor. */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defaultClientConditions } from 'vite'
import { defineConfig } from 'vitest/config'

/**
 * The dev server hands calls of the API on to a running Flowrill (or to the mock server of `npm run mock`). `Host` stays as the
 * browser sent it: Flowrill compares it with `Origin`.
 */
const server = process.env['FLOWRILL_URL'] ?? 'http://127.0.0.1:1880'
const apiPaths = ['/flows', '/inject', '/debug', '/settings', '/nodes', '/credentials', '/flowrill', '/health']

export default defineConfig({
  // The server may serve the editor below a prefix, so every address is relative to the page.
  base: './',
  plugins: [svelte()],
  resolve: {
    // Components are tested in a (simulated) browser, so they must be compiled for one.
    conditions: process.env['VITEST'] ? ['browser'] : [...defaultClientConditions],
  },
  build: {
    target: 'es2023',
    assetsDir: 'assets',
    manifest: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What the first view and later parts share is one file: few requests count on a slow network.
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /node_modules\/(svelte|esm-env|clsx|@floating-ui)\/|src\/(ui|api|core|state|canvas|actions)\/|src\/i18n\/(t\.|(shell\.)?en)|src\/features\/(shell\/shell|inspector\/stack)\./,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      ...Object.fromEntries(apiPaths.map((path) => [path, { target: server }])),
      '/comms': { target: server, ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
  },
})
