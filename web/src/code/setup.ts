/** The parts of the code editor for each language: highlighting, completion, marks where the syntax is wrong. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import {
  javascript,
  javascriptLanguage,
  localCompletionSource,
  scopeCompletionSource,
} from '@codemirror/lang-javascript'
import { json, jsonParseLinter } from '@codemirror/lang-json'
import { bracketMatching, indentOnInput, syntaxTree } from '@codemirror/language'
import { linter, type Diagnostic } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { membersOf, roots } from './members'
import { theme } from './theme'

/** Offers members after `node.` and the like. */
export function completeMembers(context: CompletionContext): CompletionResult | null {
  const typed = context.matchBefore(/[\w$]+(?:\.[\w$]+)*\.[\w$]*/)
  if (!typed) return null
  const dot = typed.text.lastIndexOf('.')
  const found = membersOf(typed.text.slice(0, dot))
  if (found.length === 0) return null
  return {
    from: typed.from + dot + 1,
    options: found.map(({ label, detail, kind }) => ({ label, detail, type: kind })),
    validFor: /^[\w$]*$/,
  }
}

/** Offers the names that a function is given. */
export function completeRoots(context: CompletionContext): CompletionResult | null {
  const typed = context.matchBefore(/(?<![.\w$])[A-Za-z_$][\w$]*/)
  if (!typed && !context.explicit) return null
  return {
    from: typed?.from ?? context.pos,
    options: roots.map((label) => ({ label, type: 'variable', boost: 1 })),
    validFor: /^[\w$]*$/,
  }
}

/** Marks the places that the parser could not make sense of. */
export function syntaxFaults(state: EditorState, message: string): Diagnostic[] {
  const found: Diagnostic[] = []
  syntaxTree(state).iterate({
    enter: (node) => {
      if (!node.type.isError || found.length >= 20) return
      const from = Math.min(node.from, Math.max(state.doc.length - 1, 0))
      const last = found.at(-1)
      if (last && last.to >= from) return
      found.push({ from, to: Math.max(node.to, Math.min(from + 1, state.doc.length)), severity: 'error', message })
    },
  })
  return found
}

function language(name: string, messages: { syntax: string }): Extension {
  switch (name) {
    case 'javascript':
      return [
        javascript(),
        javascriptLanguage.data.of({ autocomplete: completeMembers }),
        javascriptLanguage.data.of({ autocomplete: completeRoots }),
        javascriptLanguage.data.of({ autocomplete: localCompletionSource }),
        javascriptLanguage.data.of({
          autocomplete: scopeCompletionSource({ Math, JSON, Object, Array, Number, String, Date }),
        }),
        linter((view) => syntaxFaults(view.state, messages.syntax)),
      ]
    case 'json': {
      const lint = jsonParseLinter()
      return [json(), linter((view) => (view.state.doc.length === 0 ? [] : lint(view)))]
    }
    default:
      return EditorView.lineWrapping
  }
}

/** Everything that an editor of this language is made of. */
export function extensions(
  name: string,
  label: string,
  messages: { syntax: string },
  onchange: (text: string) => void,
): Extension {
  return [
    lineNumbers(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    EditorState.tabSize.of(4),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    highlightActiveLine(),
    highlightSelectionMatches(),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      indentWithTab,
    ]),
    language(name, messages),
    theme,
    EditorView.contentAttributes.of({ 'aria-label': label, autocapitalize: 'off', spellcheck: 'false' }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((one) => one.isUserEvent('outside')))
        onchange(update.state.doc.toString())
    }),
  ]
}
