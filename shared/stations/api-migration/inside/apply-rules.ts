/**
 * Runs inside the sandbox, by itself: reads a request on standard input, counts what ast-grep rules match in files below the
 * working directory, rewrites them if asked, and answers on standard output. What could hold a match and could not be searched is
 * named, as finding none elsewhere proves nothing about it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { SgNode } from '@ast-grep/napi';
import { type Grammar, marksOf } from '../../work/parsers/inside/grammars.ts';
import { syntaxErrors } from '../../work/parsers/inside/syntax-errors.ts';
import { rewritten } from './rewrite.ts';
import { find, type Rule, ruleFault } from './rule.ts';
import { readSource, type Source } from './source-file.ts';
import { wordTest } from './words.ts';

type File = {
  readonly path: string;
  /** Rules, by their place, and the grammars to try, the fitting one first; none for a file that can only hold such code inside. */
  readonly rules: readonly number[];
  readonly grammars: readonly Grammar[];
};
type Request = { readonly rewrite: boolean; readonly rules: readonly Rule[]; readonly files: readonly File[] };
type Place = { readonly path: string; readonly rule: string };
type Found = { matches: (Place & { count: number })[]; unread: { path: string; why: string }[] };
/** Why a rewriting can't be used. */
type Stopped =
  | { readonly notText: Place }
  | { readonly broken: Place & { readonly line: number; readonly text: string } }
  | { readonly endless: Place & { readonly line: number } };

const UNREAD_TOLD = 200;
/** Inline scripts, event handlers and addresses that are scripts. */
const scriptInside = /<script\b[^>]*>\s*[^\s<]|\son[a-z]+\s*=|javascript:/i;

const request = JSON.parse(readFileSync(0, 'utf8')) as Request;
process.stdout.write(JSON.stringify(applyRules(request)));

function applyRules({ rewrite, rules, files }: Request): unknown {
  const faulty = rules
    .map((rule) => ({ rule: rule.id, message: ruleFault(rule) }))
    .find(({ message }) => message !== undefined);
  if (faulty !== undefined) return { fault: faulty };
  const tests = rules.map(({ rule, utils }) => wordTest(rule, utils));
  const found: Found = { matches: [], unread: [] };
  for (const file of files) {
    const source = readSource(file.path);
    const { text } = source;
    const possible = file.rules.filter((index) => text === undefined || tests[index]?.(text) === true);
    const own = possible.flatMap((index) => rules[index] ?? []);
    // The words may come with an earlier rule's fix.
    const all = file.rules.flatMap((index) => rules[index] ?? []);
    if (own.length === 0) continue;
    const stopped = search(file, source, own, rewrite ? all : undefined, found);
    if (stopped !== undefined) return stopped;
  }
  return { ...found, unread: found.unread.slice(0, UNREAD_TOLD), unreadCount: found.unread.length };
}

function search(
  file: File,
  source: Source,
  own: readonly Rule[],
  rewriting: readonly Rule[] | undefined,
  found: Found,
): Stopped | undefined {
  const { path } = file;
  const unread = (why: string): undefined => {
    found.unread.push({ path, why });
  };
  if (source.kind === 'unread') return unread(source.why);
  const [first] = file.grammars;
  if (first === undefined) {
    const html = /\.html?$/.test(path);
    return html && own.every(({ language }) => language !== 'css') && !scriptInside.test(source.text)
      ? undefined
      : unread('code inside it is not searched');
  }
  const grammar = file.grammars.find((candidate) => marksOf(candidate, source.text).length === 0);
  const used = grammar ?? first;
  const usable = own.filter((rule) => used === rule.language || ruleFault(rule, used) === undefined);
  const counts = usable.map((rule) => ({ rule, count: find(used, source.text, rule).length }));
  const matching = counts.filter(({ count }) => count > 0);
  found.matches.push(...matching.map(({ rule, count }) => ({ path, rule: rule.id, count })));
  const [mark] = grammar === undefined ? marksOf(first, source.text) : [];
  if (mark !== undefined) unread(`ast-grep can't parse all of it (line ${mark.line})`);
  else if (usable.length < own.length) unread('the rule can not be read in its language');
  const [one] = matching;
  if (one === undefined) return undefined;
  if (source.kind === 'bytes') return { notText: { path, rule: one.rule.id } };
  if (rewriting === undefined) return undefined;
  const rules = rewriting.filter((rule) => used === rule.language || ruleFault(rule, used) === undefined);
  return rewrite(path, used, source, rules);
}

/** Applies the rules one after another, and again while one brings up what another looks for. */
function rewrite(
  path: string,
  grammar: Grammar,
  { mark, text: before }: Source & { kind: 'text' },
  rules: readonly Rule[],
): Stopped | undefined {
  let text = before;
  let errors = syntaxErrors(grammar, path, text).length;
  for (let round = 0; round <= rules.length; round++) {
    const start = text;
    for (const rule of rules) {
      const next = rewritten(grammar, text, rule);
      if (next === text) continue;
      const marks = syntaxErrors(grammar, path, next);
      const [first] = marks;
      if (first !== undefined && marks.length > errors) return { broken: { path, rule: rule.id, ...first } };
      errors = marks.length;
      text = next;
    }
    if (text === start) break;
  }
  for (const rule of rules) {
    const left: SgNode | undefined = find(grammar, text, rule)[0];
    if (left !== undefined) return { endless: { path, rule: rule.id, line: left.range().start.line + 1 } };
  }
  if (text !== before) writeFileSync(path, mark + text);
  return undefined;
}
