/** Runs inside the sandbox: the replacement of what a rule matches, as ast-grep's command line makes it. */
import type { SgNode } from '@ast-grep/napi';
import { indentAt, parseTemplate, reindent } from '../../../domain/packet/fix-template.ts';
import type { Grammar } from '../../work/parsers/inside/grammars.ts';
import { find, type Rule } from './rule.ts';

/** Beyond the depth to which matches are nested: a fix may bring up what an outer match hid. */
const morePasses = 10;

/** Code units of a text that a fix may grow to. */
const grownLength = 16 * 1024 * 1024;

/** The text with every match replaced, outer ones first. With a fix that matches its own rule again, matches are left over. */
export function rewritten(grammar: Grammar, text: string, rule: Rule): string {
  let current = text;
  let passes: number | undefined;
  for (let pass = 0; pass < (passes ?? 1) && current.length <= grownLength; pass++) {
    const matches = find(grammar, current, rule);
    passes ??= nesting(matches) + morePasses;
    const next = replaceOutermost(current, matches, rule);
    if (next === current) return current;
    current = next;
  }
  return current;
}

/** How many matches lie around one another at most. */
function nesting(matches: readonly SgNode[]): number {
  const open: number[] = [];
  let deepest = 0;
  for (const match of matches) {
    const { start, end } = match.range();
    while ((open.at(-1) ?? Number.POSITIVE_INFINITY) <= start.index) open.pop();
    open.push(end.index);
    deepest = Math.max(deepest, open.length);
  }
  return deepest;
}

function replaceOutermost(text: string, matches: readonly SgNode[], rule: Rule): string {
  const pieces: string[] = [];
  let end = 0;
  for (const match of matches) {
    const range = match.range();
    if (range.start.index < end) continue;
    pieces.push(text.slice(end, range.start.index), replacement(text, match, rule));
    end = range.end.index;
  }
  return [...pieces, text.slice(end)].join('');
}

/**
 * The fix with what its variables captured. Lines after the first of a captured text keep their indentation relative to it, and
 * all of it is indented as the match is. Line ends of the template become those of the file.
 */
function replacement(text: string, match: SgNode, { fix, transform = {} }: Rule): string {
  const lineEnd = lineEndAt(text, match.range().start.index);
  const expanded = parseTemplate(fix)
    .map((part) => {
      if ('text' in part) return part.text.replace(/\r?\n/g, lineEnd);
      if (part.kind === 'single' && Object.hasOwn(transform, part.name))
        return reindent(match.getTransformed(part.name) ?? '', 0, part.indent);
      const captured = part.kind === 'single' ? [match.getMatch(part.name)] : match.getMultipleMatches(part.name);
      const [first, last] = [captured.at(0), captured.at(-1)];
      if (first == null || last == null) return '';
      const start = first.range().start.index;
      return reindent(text.slice(start, last.range().end.index), indentAt(text, start), part.indent);
    })
    .join('');
  return reindent(expanded, 0, indentAt(text, match.range().start.index));
}

/** How the line of a place ends, or the one before where it is the last. */
function lineEndAt(text: string, place: number): '\r\n' | '\n' {
  const next = text.indexOf('\n', place);
  const end = next >= 0 ? next : text.lastIndexOf('\n', place);
  return end > 0 && text[end - 1] === '\r' ? '\r\n' : '\n';
}
