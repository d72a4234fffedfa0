/**
 * Runs inside the sandbox, by itself: parses files before and after a change and answers, a file each, what no longer parses. The
 * files lie in the working directory under their number, `<n>.before` and `<n>.after`. Both are a stranger's text, which is why no
 * process of the worker parses them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type Mark, registerGrammars } from '../../../stations/work/parsers/inside/grammars.ts';
import { syntaxErrors } from '../../../stations/work/parsers/inside/syntax-errors.ts';
import type { Language } from '../../../stations/work/parsers/languages.ts';

type Request = {
  readonly python?: string;
  readonly files: readonly { readonly path: string; readonly language: Language }[];
};

/** `sound`: it parses. `broken`: it does not, and did. `unsound`: it did not before either. `unread`: there is no parser for it here. */
type Answer = { readonly state: 'sound' | 'broken' | 'unsound' | 'unread'; readonly marks: readonly Mark[] };

const MARKS_TOLD = 3;
const utf8 = new TextDecoder('utf-8', { fatal: true });

const { files, python } = JSON.parse(readFileSync(0, 'utf8')) as Request;
process.stdout.write(JSON.stringify(files.map(judge)));

function judge({ path, language }: Request['files'][number], index: number): Answer {
  if (language === 'python' && !pythonIsHere()) return { state: 'unread', marks: [] };
  const after = errorsIn(`${index}.after`, path, language);
  if (after === undefined) return { state: 'unread', marks: [] };
  if (after.length === 0) return { state: 'sound', marks: [] };
  const before = existsSync(`${index}.before`) ? (errorsIn(`${index}.before`, path, language) ?? []) : [];
  const known = new Set(before.map(({ text }) => text));
  const brought = before.length === 0 ? after : after.filter(({ text }) => !known.has(text));
  // A grammar that loses its way marks other places after an edit elsewhere: only more of them, and new ones, are the change's.
  const broken = after.length > before.length && brought.length > 0;
  return { state: broken ? 'broken' : 'unsound', marks: (broken ? brought : after).slice(0, MARKS_TOLD) };
}

/** Undefined for bytes of a wider encoding: nothing can be said about them. Those of a narrow one read alike where syntax is concerned. */
function errorsIn(file: string, path: string, language: Language): readonly Mark[] | undefined {
  const bytes = readFileSync(file);
  if (bytes.includes(0)) return undefined;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    text = bytes.toString('latin1');
  }
  return syntaxErrors(language, path, text);
}

function pythonIsHere(): boolean {
  try {
    registerGrammars({ python });
    return python !== undefined;
  } catch {
    return false;
  }
}
