import { isMap, isPair, isScalar, isSeq, Lexer, type ParsedNode, parseAllDocuments } from 'yaml';
import type { RefusalDetail } from '../domain/refusal.ts';
import { plainValueFault } from './plain-value.ts';
import { pointerTo } from './pointer.ts';
import { textOf } from './text.ts';

export type YamlLimits = {
  readonly maxDepth: number;
  /** Tokens of the YAML lexer; a block of text is one. Building a document was measured at some 200,000 a second. */
  readonly maxTokens: number;
};

/**
 * YAML 1.2 with the core schema, and of it the plain part alone: one document, no anchors, aliases, tags, directives or merge
 * keys, no key twice, text as keys. What such a document says does not depend on who reads it. Size is the caller's to check.
 */
export function readYaml(bytes: Uint8Array, limits: YamlLimits): { value: unknown } | { fault: RefusalDetail } {
  const decoded = textOf(bytes);
  if ('fault' in decoded) return decoded;
  const token = tokenFault(decoded.text, limits);
  if (token !== undefined) return { fault: token };
  const documents = parseAllDocuments(decoded.text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    merge: false,
    stringKeys: true,
    resolveKnownTags: false,
    // The library compares each key with each other one; `nodeFault` looks them up.
    uniqueKeys: false,
    logLevel: 'silent',
    // Quoting the line in each error was measured at 33 s for 200,000 errors.
    prettyErrors: false,
  });
  const [document, second] = documents;
  if (document === undefined || !('contents' in document) || document.contents === null)
    return { fault: fault('empty', 'The document is empty. Send one.') };
  if (second !== undefined) return { fault: fault('several_documents', 'There is more than one document. Send one.') };
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined)
    return {
      fault: fault(
        'syntax',
        `Line ${lineOf(decoded.text, error.pos[0])} is not YAML: ${error.message.slice(0, 300)}. Correct the syntax.`,
      ),
    };
  const node = nodeFault(document.contents, [], limits.maxDepth);
  if (node !== undefined) return { fault: node };
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  const plain = plainValueFault(value, limits.maxDepth);
  return plain === undefined ? { value } : { fault: plain };
}

const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length;

const fault = (code: string, message: string, pointer = ''): RefusalDetail => ({ pointer, code, message });

/**
 * Looks at the flat tokens before anything is built from them: refuses what the plain part leaves out, and nesting that would
 * cost the recursive parser its stack. A block collection is nested deeper only by standing further right, so the open columns
 * bound its depth; brackets are counted.
 */
function tokenFault(text: string, { maxDepth, maxTokens }: YamlLimits): RefusalDetail | undefined {
  const columns: number[] = [];
  let flow = 0;
  let lineStart = 0;
  let at = 0;
  let begins = true;
  let line = 1;
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    const first = token[0] ?? '';
    if (++tokens > maxTokens)
      return fault(
        'too_many_tokens',
        `There are more than ${maxTokens} YAML tokens. Shorten the document, or write long text as one block (|).`,
      );
    if (first === '&' || first === '*' || first === '!') {
      const what = first === '&' ? 'an anchor (&)' : first === '*' ? 'an alias (*)' : 'a tag (!)';
      return fault('not_plain', `Line ${line} has ${what}. Write the value out; quote text that begins with ${first}.`);
    }
    if (first === '%')
      return fault('not_plain', `Line ${line} has a directive (%). Remove it; quote text that begins with %.`);
    const indicator = token === '-' || token === '?' || token === ':';
    const blank = token.trim() === '' || first === '#' || CONTROL.has(first);
    if (flow === 0 && begins && !blank) {
      const column = at - lineStart;
      while ((columns.at(-1) ?? -1) > column) columns.pop();
      if (columns.at(-1) !== column) columns.push(column);
    }
    if (token === '[' || token === '{') flow++;
    else if ((token === ']' || token === '}') && --flow < 0)
      return fault('syntax', `Line ${line} closes a bracket that was never opened. Correct the syntax.`);
    if (columns.length + flow > maxDepth + 1)
      return fault('too_deep', `Line ${line} is nested deeper than ${maxDepth} levels. Flatten it.`);
    begins = indicator || (begins && blank);
    if (!CONTROL.has(first)) {
      at += token.length;
      const newline = token.lastIndexOf('\n');
      if (newline >= 0) {
        line += token.split('\n').length - 1;
        lineStart = at - (token.length - newline - 1);
        begins = true;
      }
    }
  }
  return undefined;
}

/** Marks the lexer puts between tokens: byte order mark, document start, flow end, scalar. They are no characters of the text. */
const CONTROL = new Set(['\u{FEFF}', '\x02', '\x18', '\x1f']);

/** Keys used twice and merge keys, found in the parsed nodes, where an escaped key is already the text it stands for. */
function nodeFault(
  node: ParsedNode | null,
  path: readonly (string | number)[],
  maxDepth: number,
): RefusalDetail | undefined {
  if (path.length > maxDepth)
    return fault('too_deep', `It is nested deeper than ${maxDepth} levels. Flatten it.`, pointerTo(path.slice(0, 8)));
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const found = isPair(item) ? undefined : nodeFault(item as ParsedNode, [...path, index], maxDepth);
      if (found !== undefined) return found;
    }
  }
  if (!isMap(node)) return undefined;
  const keys = new Set<string>();
  for (const pair of node.items) {
    if (!isScalar(pair.key)) return fault('not_plain', 'A key is not text. Use text as keys.', pointerTo(path));
    const key = String(pair.key.value);
    if (key === '<<') return fault('not_plain', 'There is a merge key (<<). Write the values out.', pointerTo(path));
    if (keys.has(key))
      return fault(
        'duplicate_key',
        `The key ${JSON.stringify(key.slice(0, 100))} appears twice in one mapping. Keep one.`,
        pointerTo(path),
      );
    keys.add(key);
    const found = nodeFault((pair.value ?? null) as ParsedNode | null, [...path, key], maxDepth);
    if (found !== undefined) return found;
  }
  return undefined;
}
