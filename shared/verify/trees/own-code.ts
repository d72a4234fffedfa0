import { posix } from 'node:path';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree, type TreeEntry } from '../../sandbox/git/tree-list.ts';
import { type KnownCode, knownCode } from '../endings/known-code.ts';

const MANIFESTS_READ = 200;
const MANIFEST_BYTES = 1024 * 1024;

/** What a tree holds of its own: asked when a run says that something is missing. */
export type OwnCode = {
  readonly code: KnownCode;
  /** The text of a script of the package.json at the root. */
  readonly scriptOf: (name: string) => string | undefined;
};

/** Reads the names that a tree, and the one the packet makes of it, hold. Of at most 200 manifests, those nearest the root. */
export async function readOwnCode(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly intended: TreeId | null;
  readonly signal: AbortSignal;
}): Promise<OwnCode> {
  const { repository, tree, intended, signal } = request;
  const base = await listTree({ repository, tree, signal });
  const changed = intended === null ? null : await listTree({ repository, tree: intended, signal });
  const manifests = await readManifests(repository, [...base, ...(changed ?? [])], signal);
  const root = manifests.find(({ path }) => path === 'package.json');
  const scripts = packageScripts(root?.text);
  return {
    code: knownCode({
      base: base.map(({ path }) => path),
      intended: changed?.map(({ path }) => path) ?? null,
      packages: manifests.flatMap(({ path, text }) => packageName(path, text)),
    }),
    scriptOf: (name) => scripts[name],
  };
}

type Manifest = { readonly path: string; readonly text: string };

const isManifest = (path: string): boolean => ['package.json', 'go.mod', 'Cargo.toml'].includes(posix.basename(path));

async function readManifests(
  repository: string,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<Manifest[]> {
  const wanted = entries
    .filter(({ path, mode, bytes }) => isManifest(path) && mode !== '120000' && bytes <= MANIFEST_BYTES)
    .sort((a, b) => a.path.split('/').length - b.path.split('/').length)
    .slice(0, MANIFESTS_READ);
  const found: Manifest[] = [];
  for await (const content of readBlobs(
    repository,
    wanted.map(({ blob }) => blob),
    signal,
  )) {
    const path = wanted[found.length]?.path ?? '';
    found.push({ path, text: content.toString('utf8') });
  }
  return found;
}

function packageName(path: string, text: string): string[] {
  if (posix.basename(path) === 'package.json') {
    const { name } = objectOf(text);
    return typeof name === 'string' ? [name] : [];
  }
  const name = /^\s*(?:module\s+(\S+)|name\s*=\s*"([^"]+)")/m.exec(text);
  // A crate is imported with underscores.
  return name === null ? [] : [name[1] ?? (name[2] ?? '').replaceAll('-', '_')];
}

/** The scripts of a package.json by name; none where it can't be read. */
export function packageScripts(text: string | undefined): Readonly<Record<string, string>> {
  const { scripts } = objectOf(text ?? '');
  if (typeof scripts !== 'object' || scripts === null) return {};
  return Object.fromEntries(
    Object.entries(scripts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
