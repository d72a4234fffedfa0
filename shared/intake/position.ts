import { isCollection, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

/** A place in a document: line and column, both from 1, and the number of characters before it. */
export type Position = { readonly line: number; readonly column: number; readonly offset: number };

/**
 * Finds JSON pointers (RFC 6901) in the text of a document that was read already, YAML or JSON (which YAML 1.2 contains): the key that
 * a pointer ends in, or the item, or the nearest collection around what is missing. Costs another parse, so only for what is refused.
 */
export function locator(text: string): (pointer: string) => Position | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const { contents } = document;
  if (contents === null || document.errors.length > 0) return () => undefined;
  return (pointer) => {
    const offset = offsetOf(contents, keysOf(pointer));
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return line === 0 ? undefined : { line, column: col, offset };
  };
}

const keysOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

function offsetOf(root: Node, keys: readonly string[]): number | undefined {
  let at: Node = root;
  let offset = root.range?.[0];
  for (const key of keys) {
    const pair = isMap(at) ? at.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined;
    if (pair !== undefined && isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
    const next: unknown = pair?.value ?? (isCollection(at) ? at.get(isMap(at) ? key : Number(key), true) : undefined);
    if (!isNode(next)) return offset;
    at = next;
    if (pair === undefined) offset = next.range?.[0] ?? offset;
  }
  return offset;
}
