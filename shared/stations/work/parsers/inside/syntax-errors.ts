/**
 * Runs inside the sandbox: whether a text is one of its language. ast-grep's grammars know less than the languages' own compilers,
 * so what they mark counts only where a second parser refuses the text too (Flow, decorators, nested CSS). HTML has no refusals by its
 * standard; what would be none in a browser is taken out of the text first.
 */
import { type ParserOptions, parseExpression, parse as parseJavaScript } from '@babel/parser';
import postcss, { type Root } from 'postcss';
import { parseAllDocuments } from 'yaml';
import type { Language } from '../languages.ts';
import { type Grammar, type Mark, marksOf } from './grammars.ts';

/** Line of the refusal, or undefined for a text that is taken. */
type SecondOpinion = (text: string, path: string) => number | undefined;

/** Files that npm and others read as strict JSON. */
const strictJson = /(?:^|\/)(?:package|package-lock|npm-shrinkwrap|composer)\.json$/;

/** Syntax errors of a text, in its order; empty for one that any fitting parser takes. A byte order mark is no part of the text. */
export function syntaxErrors(language: Language, path: string, text: string): readonly Mark[] {
  if (text.trim() === '') return [];
  switch (language) {
    case 'json':
      return jsonErrors(text, path);
    case 'yaml':
      return yamlErrors(text);
    case 'html':
      // The end of a page in a file of its own, as server-side templates have it.
      return /^\s*<\//.test(text) ? [] : marksOf('html', withoutTemplates(text));
    case 'python':
      return marksOf('python', text);
    default:
      return judged(language, path, text);
  }
}

function judged(grammar: Grammar & keyof typeof secondOpinions, path: string, text: string): readonly Mark[] {
  const marks = marksOf(grammar, text);
  if (marks.length === 0) return marks;
  const line = secondOpinions[grammar](text, path);
  if (line === undefined) return [];
  return [{ line, text: lineAt(text, line) }, ...marks.slice(1)];
}

const babel =
  (options: (path: string) => ParserOptions['plugins']): SecondOpinion =>
  (text, path) => {
    try {
      parseJavaScript(text, {
        sourceType: 'unambiguous',
        allowAwaitOutsideFunction: true,
        allowImportExportEverywhere: true,
        allowNewTargetOutsideFunction: true,
        allowReturnOutsideFunction: true,
        allowSuperOutsideMethod: true,
        allowUndeclaredExports: true,
        plugins: options(path) ?? [],
      });
      return undefined;
    } catch (error) {
      return (error as { loc?: { line?: number } }).loc?.line ?? 1;
    }
  };

const secondOpinions = {
  javascript: babel(() => ['jsx', 'flow', 'decorators', 'exportDefaultFrom', 'doExpressions']),
  typescript: babel((path) => [['typescript', { dts: /\.d\.[cm]?ts$/.test(path) }], 'decorators-legacy']),
  tsx: babel(() => ['typescript', 'jsx', 'decorators-legacy']),
  css: (text) => {
    try {
      return unbalancedIn(postcss.parse(text));
    } catch (error) {
      return (error as { line?: number }).line ?? 1;
    }
  },
} as const satisfies Readonly<Record<string, SecondOpinion>>;

/** Line of the first selector, condition or value with a bracket too few or too many: PostCSS takes those for text. */
function unbalancedIn(root: Root): number | undefined {
  let line: number | undefined;
  root.walk((node) => {
    if (node.type === 'comment') return;
    const texts = node.type === 'rule' ? node.selector : node.type === 'atrule' ? node.params : node.value;
    const plain = texts.replace(/\\.|"[^"]*"|'[^']*'|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/|url\([^)"']*\)/g, '');
    const depth = (open: string, close: string) => plain.split(open).length - plain.split(close).length;
    if (depth('(', ')') !== 0 || depth('[', ']') !== 0) line ??= node.source?.start?.line ?? 1;
  });
  return line;
}

/** JSON, or what tools commonly take for it: with comments and trailing commas, as JavaScript reads it. */
function jsonErrors(text: string, path: string): Mark[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const position = Number(/position (\d+)/.exec(String(error))?.[1] ?? 0);
    if (strictJson.test(path)) return [markAt(text, text.slice(0, position).split('\n').length)];
  }
  try {
    parseExpression(text);
    return [];
  } catch (error) {
    return [markAt(text, (error as { loc?: { line?: number } }).loc?.line ?? 1)];
  }
}

/** A template (Helm, Jinja) is YAML only once it is filled in. */
function yamlErrors(text: string): Mark[] {
  if (/\{\{|\{%|<%/.test(text)) return [];
  return parseAllDocuments(text, { logLevel: 'silent', uniqueKeys: false, prettyErrors: false }).flatMap((document) =>
    document.errors.map(({ pos }) => markAt(text, text.slice(0, pos[0]).split('\n').length)),
  );
}

/** What stands between the marks of a template language, and what HTML takes for text, overwritten character by character. */
function withoutTemplates(text: string): string {
  return text
    .replace(
      /<%[^%]*(?:%(?!>)[^%]*)*(?:%>|$)|<\?[^?]*(?:\?(?!>)[^?]*)*(?:\?>|$)|\{\{[^}]*(?:\}(?!\})[^}]*)*(?:\}\}|$)|\{%[^%]*(?:%(?!\})[^%]*)*(?:%\}|$)/g,
      (template) => template.replace(/[^\n]/g, ' '),
    )
    .replace(/&(?!#?[A-Za-z0-9]{1,32};)/g, '+')
    .replace(/<(?![A-Za-z/!])/g, '(')
    .replace(/(?<=[^-]-|=)>/g, ')');
}

const lineAt = (text: string, line: number): string => (text.split('\n')[line - 1] ?? '').trim().slice(0, 200);
const markAt = (text: string, line: number): Mark => ({ line, text: lineAt(text, line) });
