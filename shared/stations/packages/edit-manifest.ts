import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { isScalar, parseDocument, type Scalar } from 'yaml';
import { at, type Manifest, parseJson, parseYaml } from './manifest.ts';

type Change = { readonly location: readonly string[]; readonly text: string };
type Edit = { readonly offset: number; readonly length: number; readonly written: string };

/**
 * A manifest's text with some specifiers replaced and every other byte as it was: indentation, order, line ends, quotes. Throws a
 * TypeError when a place is not there as a string, as with a key that is there twice.
 */
export function editManifest({ text, form }: Pick<Manifest, 'text' | 'form'>, changes: readonly Change[]): string {
  const edits = form === 'yaml' ? yamlEdits(text, changes) : jsonEdits(text, changes);
  const edited = edits
    .toSorted((a, b) => b.offset - a.offset)
    .reduce((all, { offset, length, written }) => all.slice(0, offset) + written + all.slice(offset + length), text);
  const value = form === 'yaml' ? parseYaml(edited) : parseJson(edited);
  for (const { location, text: written } of changes)
    if (at(value, location) !== written) throw new TypeError(`${location.join('.')} is there twice in this manifest`);
  return edited;
}

function jsonEdits(text: string, changes: readonly Change[]): Edit[] {
  const root = parseTree(text, [], { allowTrailingComma: false });
  return changes.map(({ location, text: written }) => {
    const node: Node | undefined = root === undefined ? undefined : findNodeAtLocation(root, [...location]);
    if (node?.type !== 'string') throw absent(location);
    return { offset: node.offset, length: node.length, written: JSON.stringify(written) };
  });
}

function yamlEdits(text: string, changes: readonly Change[]): Edit[] {
  const document = parseDocument(text, { schema: 'core' });
  return changes.map(({ location, text: written }) => {
    const node = document.getIn(location, true);
    if (!isScalar(node) || typeof node.value !== 'string' || node.range == null) throw absent(location);
    const [offset, end] = node.range;
    return { offset, length: end - offset, written: asQuoted(node, written) };
  });
}

/** In the quotes that were there, or in some where the new text needs them. */
function asQuoted({ type }: Scalar, written: string): string {
  if (type === 'QUOTE_DOUBLE') return JSON.stringify(written);
  if (type === 'PLAIN' && parseYaml(`a: ${written}`) !== undefined && at(parseYaml(`a: ${written}`), ['a']) === written)
    return written;
  return `'${written.replaceAll("'", "''")}'`;
}

const absent = (location: readonly string[]): TypeError =>
  new TypeError(`${location.join('.')} is no string of this manifest`);
