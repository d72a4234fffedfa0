/**
 * Runs inside the sandbox: ast-grep's grammars over a stranger's text. A grammar never refuses a text, it marks what it could not
 * place: as ERROR nodes, and as nodes without any text where something is missing.
 */
import { Lang, parse, registerDynamicLanguage, type SgNode } from '@ast-grep/napi';

export type Mark = { readonly line: number; readonly text: string };

const builtIn = {
  javascript: Lang.JavaScript,
  typescript: Lang.TypeScript,
  tsx: Lang.Tsx,
  html: Lang.Html,
  css: Lang.Css,
} as const;
export type Grammar = keyof typeof builtIn | 'python';

/** Nodes that a grammar makes without text where nothing is missing: the inside of `<script src="…"></script>`. */
const emptyByRight = new Set(['raw_text']);

let registered = false;

/** Makes the grammars that ast-grep does not bring known to it, once: path of each one's parser library. Throws for another platform's. */
export function registerGrammars(libraries: { readonly python?: string | undefined }): void {
  if (registered || libraries.python === undefined) return;
  registerDynamicLanguage({
    python: {
      libraryPath: libraries.python,
      extensions: ['py'],
      languageSymbol: 'tree_sitter_python',
      expandoChar: 'µ',
    },
  });
  registered = true;
}

export function rootOf(grammar: Grammar, text: string): SgNode {
  return parse(grammar === 'python' ? 'python' : builtIn[grammar], text).root();
}

/** What the grammar could not place, in the order of the text; lines count from 1. */
export function marksOf(grammar: Grammar, text: string): Mark[] {
  const root = rootOf(grammar, text);
  const missing = root
    .findAll({ rule: { regex: '^$' } })
    .filter((node) => node.parent() !== null && !emptyByRight.has(String(node.kind())));
  const lines = text.split('\n');
  return [...root.findAll({ rule: { kind: 'ERROR' } }), ...missing]
    .map((node) => node.range().start)
    .sort((one, other) => one.index - other.index)
    .map(({ line }) => ({ line: line + 1, text: (lines[line] ?? '').trim().slice(0, 200) }));
}
