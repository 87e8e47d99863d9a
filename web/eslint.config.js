/** Lint rules of the editor. The import rules keep the layers: core < state < canvas and features. */
import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import { defineConfig } from 'eslint/config'
import globals from 'globals'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

/** Forbids imports of these folders, with the reason that the message gives. */
const without = (files, folders, reason) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [{ group: folders.map((name) => `**/${name}/**`), message: reason }] },
    ],
  },
})

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'tests/e2e/output/'] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', 'scripts/*.mjs', 'tests/*/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      'no-console': 'error',
      'no-warning-comments': 'error',
      eqeqeq: 'error',
      // `void value` in an effect says that it is read to be followed.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // `let { x = $bindable(), y } = $props()` can't be split.
      'prefer-const': 'off',
      // Maps and sets here are replaced as a whole, or are bookkeeping that no template reads.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/prefer-const': ['error', { destructuring: 'all' }],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: { ...globals.node } },
  },
  {
    files: ['scripts/**', 'tests/**'],
    rules: { 'no-console': 'off' },
  },
  without(
    ['src/core/**'],
    ['state', 'canvas', 'features', 'forms', 'code', 'ui', 'actions', 'i18n'],
    'core knows neither the page nor Svelte.',
  ),
  without(['src/state/**'], ['canvas', 'features', 'forms', 'code'], 'state is below what draws it.'),
  without(['src/canvas/**'], ['features', 'forms', 'code'], 'The canvas gets what it needs through its properties.'),
)
