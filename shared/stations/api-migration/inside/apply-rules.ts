/**
 * Runs inside the sandbox, by itself: reads a request on standard input, counts what ast-grep rules match in files below the
 * working directory, rewrites them if asked, and answers on standard output. The rules are a stranger's input to a native
 * library, which is why no process of the worker runs them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Lang, type NapiConfig, parse, type SgNode } from '@ast-grep/napi';

type Rule = {
  readonly id: string;
  readonly language: string;
  readonly rule: Record<string, unknown>;
  readonly fix: string;
};
type Request = {
  readonly rewrite: boolean;
  readonly rules: readonly Rule[];
  readonly files: readonly { readonly path: string; readonly language: string }[];
};

const languages: Readonly<Record<string, Lang>> = {
  javascript: Lang.JavaScript,
  typescript: Lang.TypeScript,
  tsx: Lang.Tsx,
  html: Lang.Html,
  css: Lang.Css,
};
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** commitEdits of ast-grep 0.51 drops it; it goes around the library. */
const byteOrderMark = '\u{FEFF}';
/** A fix may bring up what an outer match hid; one that always matches again is given up here and left for the verifier. */
const passes = 10;

const request = JSON.parse(readFileSync(0, 'utf8')) as Request;
process.stdout.write(JSON.stringify(applyRules(request)));

function applyRules({ rewrite, rules, files }: Request): unknown {
  const faulty = rules
    .map((rule) => ({ rule: rule.id, message: ruleFault(rule) }))
    .find(({ message }) => message !== undefined);
  if (faulty !== undefined) return { fault: faulty };
  const matches: { path: string; rule: string; count: number }[] = [];
  for (const { path, language } of files) {
    const own = rules.filter((rule) => rule.language === language);
    const content = readContent(path);
    if (content === undefined) {
      const matching = own.find((rule) => find(readFileSync(path, 'latin1'), rule).length > 0);
      if (matching !== undefined) return { notText: { path, rule: matching.id } };
      continue;
    }
    const { mark, text: before } = content;
    let text = before;
    for (const rule of own) {
      const count = find(text, rule).length;
      if (count === 0) continue;
      matches.push({ path, rule: rule.id, count });
      if (rewrite) text = rewritten(text, rule);
    }
    if (text !== before) writeFileSync(path, mark + text);
  }
  return { matches };
}

/** A file as text that gives the same bytes when it is written again; undefined when it is not UTF-8, and so would not. */
function readContent(path: string): { readonly mark: string; readonly text: string } | undefined {
  try {
    const text = utf8.decode(readFileSync(path));
    return text.startsWith(byteOrderMark) ? { mark: byteOrderMark, text: text.slice(1) } : { mark: '', text };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What is wrong with a rule, tried on an empty file. ast-grep takes a pattern that breaks off in the middle and matches nothing. */
function ruleFault({ language, rule }: Rule): string | undefined {
  const known = languages[language];
  if (known === undefined) return `the language ${language} is not known`;
  try {
    parse(known, '')
      .root()
      .findAll({ rule } as NapiConfig);
    const { pattern } = rule;
    const isScript = known === Lang.JavaScript || known === Lang.TypeScript || known === Lang.Tsx;
    const broken =
      isScript &&
      typeof pattern === 'string' &&
      parse(known, pattern)
        .root()
        .find({ rule: { kind: 'ERROR' } }) !== null;
    return broken ? `the pattern ${JSON.stringify(pattern).slice(0, 200)} is not whole ${language}` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function find(text: string, { language, rule }: Rule): SgNode[] {
  return parse(languages[language] ?? Lang.JavaScript, text)
    .root()
    .findAll({ rule } as NapiConfig);
}

function rewritten(text: string, rule: Rule): string {
  let current = text;
  for (let pass = 0; pass < passes; pass++) {
    const next = replaceOutermost(current, rule);
    if (next === current) return current;
    current = next;
  }
  return current;
}

function replaceOutermost(text: string, rule: Rule): string {
  const root = parse(languages[rule.language] ?? Lang.JavaScript, text).root();
  let end = -1;
  const outermost = root.findAll({ rule: rule.rule } as NapiConfig).filter((node) => {
    const range = node.range();
    if (range.start.index < end) return false;
    end = range.end.index;
    return true;
  });
  return outermost.length === 0
    ? text
    : root.commitEdits(outermost.map((node) => node.replace(expand(rule.fix, node, text))));
}

/** The fix with `$NAME` and `$$$NAME` replaced by what they matched; a list keeps the text between its items. */
function expand(fix: string, node: SgNode, text: string): string {
  return fix.replace(
    /\$\$\$([A-Z_][A-Z0-9_]*)|\$([A-Z_][A-Z0-9_]*)/g,
    (_, list: string | undefined, single: string | undefined) => {
      if (single !== undefined) return node.getMatch(single)?.text() ?? '';
      const items = node.getMultipleMatches(list ?? '');
      const [first, last] = [items.at(0), items.at(-1)];
      return first === undefined || last === undefined
        ? ''
        : text.slice(first.range().start.index, last.range().end.index);
    },
  );
}
