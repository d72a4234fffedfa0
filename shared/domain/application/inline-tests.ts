type Inline = {
  readonly files: RegExp;
  /** A line that begins an item of tests, which reaches to the brace that closes it. */
  readonly item?: RegExp;
  /** A line that is a test by itself: an example in documentation that a runner runs. */
  readonly line?: RegExp;
};

/** How languages keep tests inside the source that they test. */
const INLINE: readonly Inline[] = [
  {
    files: /\.rs$/,
    item: /^\s*#\[(?:cfg\((?!not\b)[^\]]*\btest\b|(?:\w+::)*(?:test|test_case|rstest|quickcheck|proptest|wasm_bindgen_test)\b)/,
    line: /^\s*\/\/[/!].*\b(?:debug_)?assert(?:_\w+)?!/,
  },
  { files: /\.[cm]?[jt]sx?$/, item: /\bimport\.meta\.vitest\b/ },
  { files: /\.pyi?$/, line: /^\s*>>> / },
  { files: /\.exs?$/, line: /^\s*iex(?:\(\d+\))?> / },
  { files: /\.zig$/, item: /^\s*test\b[^=]*\{/ },
  { files: /\.d$/, item: /^\s*(?:@\w+\s+)*unittest\b/ },
];

/** Whether files of this name may hold tests beside what they test. */
export const mayHoldTests = (path: string): boolean => INLINE.some(({ files }) => files.test(path));

/**
 * The first of the given lines (from 1) that belongs to a test inside a source file; undefined when none does. Items are told by their
 * indentation, as formatters write it. Linear in the text.
 */
export function inlineTestLine(path: string, text: string, added: readonly number[]): number | undefined {
  const language = INLINE.find(({ files }) => files.test(path));
  if (language === undefined) return undefined;
  const lines = text.split('\n');
  const within = language.item === undefined ? new Set<number>() : linesOfItems(lines, language.item);
  return added.find((line) => within.has(line) || language.line?.test(lines[line - 1] ?? '') === true);
}

function linesOfItems(lines: readonly string[], begins: RegExp): ReadonlySet<number> {
  const within = new Set<number>();
  for (let at = 0; at < lines.length; at++) {
    if (!begins.test(lines[at] ?? '')) continue;
    const end = endOfItem(lines, at);
    for (let line = at; line <= end; line++) within.add(line + 1);
    at = end;
  }
  return within;
}

const indentation = (line: string): number => line.length - line.trimStart().length;

/** Index of an item's last line: the brace that stands where the item does, or the end of a statement without a block. */
function endOfItem(lines: readonly string[], start: number): number {
  const column = indentation(lines[start] ?? '');
  let opened = false;
  for (let at = start; at < lines.length; at++) {
    const line = lines[at]?.trimEnd() ?? '';
    const bare = line.trimStart();
    if (opened && bare.startsWith('}') && indentation(line) <= column) return at;
    if (opened || /^(?:#!?\[|\/\/)/.test(bare)) {
      // An attribute may share its line with what it is put on.
      if (!opened && /\]\s*[^\]]*\{[^{}]*\}$/.test(bare)) return at;
      if (!opened && /\]\s*[^\]]*\{$/.test(bare)) opened = true;
      continue;
    }
    if (/\{.*\}$/.test(bare) && indentation(line) <= column) return at;
    if (bare.includes('{')) opened = true;
    else if (bare.endsWith(';')) return at;
  }
  return lines.length - 1;
}
