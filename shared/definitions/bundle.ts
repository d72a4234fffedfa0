import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, digestOfBytes } from '../domain/digest.ts';
import { Refusal } from '../domain/refusal.ts';
import { parseJsonBounded } from '../intake/json.ts';
import { textOf } from '../intake/text.ts';

/** A definitions bundle as bytes: every file's text by its path. Its digest is that of its canonical form. */
export type DefinitionsBundle = { readonly files: ReadonlyMap<string, string>; readonly digest: Digest };

export const BUNDLE_LIMITS = { files: 200, fileBytes: 1024 * 1024, bytes: 8 * 1024 * 1024, folderDepth: 4 } as const;
const PATH = /^[a-z0-9][a-z0-9._-]{0,99}(\/[a-z0-9][a-z0-9._-]{0,99}){0,3}$/;
const PART = /\.(yaml|cedar)$/;

/** A bundle of these files; their order does not matter. Refuses with 422 `FACTORY-DEFINITIONS-INVALID` odd paths and too much of anything. */
export function bundleOf(files: Iterable<readonly [path: string, text: string]>): DefinitionsBundle {
  const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (sorted.size > BUNDLE_LIMITS.files)
    throw refused(`It has ${sorted.size} files; the limit is ${BUNDLE_LIMITS.files}.`);
  let bytes = 0;
  for (const [path, text] of sorted) {
    if (!PATH.test(path))
      throw refused(
        `The path ${JSON.stringify(path.slice(0, 100))} is not one of lower-case letters, digits, ".", "_", "-" in at most four segments.`,
      );
    const size = Buffer.byteLength(text);
    bytes += size;
    if (size > BUNDLE_LIMITS.fileBytes || bytes > BUNDLE_LIMITS.bytes)
      throw refused(
        `With ${path} it is too large; the limits are ${BUNDLE_LIMITS.fileBytes} bytes a file and ${BUNDLE_LIMITS.bytes} in all.`,
      );
  }
  return { files: sorted, digest: digestOfBytes(bundleText(sorted)) };
}

/** The canonical form (RFC 8785) that a bundle is stored, signed and digested in: one JSON object, path to text. */
export function bundleText(files: ReadonlyMap<string, string>): string {
  return canonicalJson(Object.fromEntries(files));
}

/** A bundle out of its canonical form; refuses with 422 what is not one, and bytes that are not canonical (their digest would be another's). */
export function bundleFromText(bytes: Uint8Array): DefinitionsBundle {
  const value = parseJsonBounded(bytes, { maxDepth: 1, maxBytes: BUNDLE_LIMITS.bytes * 2 });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused('It is not an object of paths and texts.');
  const entries = Object.entries(value).map(([path, text]: [string, unknown]): [string, string] => {
    if (typeof text !== 'string') throw refused(`${path.slice(0, 100)} is not a text.`);
    return [path, text];
  });
  const bundle = bundleOf(entries);
  if (digestOfBytes(bytes) !== bundle.digest) throw refused('Its bytes are not in canonical form (RFC 8785).');
  return bundle;
}

/**
 * Reads a bundle from a directory: every `.yaml` and `.cedar` file in it, at most four folders deep. Other files (a README) are
 * not part of it; links and special files are refused, since they would let a bundle read what is not its own.
 */
export async function loadBundle(directory: string): Promise<DefinitionsBundle> {
  const files: [string, string][] = [];
  const folders: { path: string; depth: number }[] = [{ path: '', depth: 1 }];
  for (const folder of folders) {
    for (const entry of await readdir(join(directory, folder.path), { withFileTypes: true })) {
      const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
      if (entry.isDirectory() && folder.depth < BUNDLE_LIMITS.folderDepth)
        folders.push({ path, depth: folder.depth + 1 });
      else if (!entry.isDirectory() && !PART.test(entry.name)) continue;
      else if (!entry.isFile())
        throw refused(`${path} is a link, a special file or too deep a folder. Put plain files there.`);
      else files.push([path, await readText(join(directory, path), path)]);
      if (files.length > BUNDLE_LIMITS.files) throw refused(`It has more than ${BUNDLE_LIMITS.files} files.`);
    }
  }
  return bundleOf(files);
}

async function readText(file: string, path: string): Promise<string> {
  const decoded = textOf(await readFile(file));
  if ('fault' in decoded) throw refused(`${path} is not UTF-8.`);
  return decoded.text;
}

const refused = (what: string): Refusal =>
  new Refusal(
    422,
    'FACTORY-DEFINITIONS-INVALID',
    `The definitions bundle can't be read: ${what} Nothing was installed.`,
  );
