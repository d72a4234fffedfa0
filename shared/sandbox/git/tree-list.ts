import { defaultTreeLimits, type TreeLimits } from '../limits.ts';
import { type RefusalCode, SandboxRefusal } from '../refusal.ts';
import { readBlobs } from './blobs.ts';
import type { TreeId } from './object-id.ts';
import { linkFault, nameFault, requireWithin, twinsOf } from './path-rules.ts';
import { runGit } from './spawn.ts';

export type FileMode = '100644' | '100755' | '120000';

/** One file or link of a tree. `bytes` is the size of its raw blob. */
export type TreeEntry = {
  readonly mode: FileMode;
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
};

/** An entry that is never written out: a submodule, a name or link that is refused, names that differ in case alone. */
export type CarriedEntry = {
  readonly mode: string;
  /** For people; bytes that are not UTF-8 are replaced in it. */
  readonly path: string;
  /** The path's bytes, one character each (latin-1). */
  readonly rawPath: string;
  readonly object: string;
  readonly bytes: number;
  /** Which rule keeps it from being written out. */
  readonly code: RefusalCode;
  readonly why: string;
};

export type TreeParts = { readonly entries: readonly TreeEntry[]; readonly carried: readonly CarriedEntry[] };

type TreeRequest = {
  readonly repository: string;
  readonly tree: TreeId;
  readonly limits?: TreeLimits;
  readonly signal?: AbortSignal | undefined;
};

/** Every file and link of a tree that may be written out, in git's order: {@link splitTree} without what is carried. */
export async function listTree(request: TreeRequest): Promise<readonly TreeEntry[]> {
  return (await splitTree(request)).entries;
}

/**
 * A tree as what may be written out, after the rules of path-rules.ts, and what is only carried along as it is. Throws what no tree may
 * have at all: `TREE-NESTED-REPOSITORY`, `TREE-SPECIAL-FILE`, a name that stands for two entries, and what passes the limits.
 */
export async function splitTree(request: TreeRequest): Promise<TreeParts> {
  const place = `${request.repository}\0${request.tree}`;
  const known = request.limits === undefined ? splits.get(place) : undefined;
  if (known !== undefined) return known;
  const parts = await split(request);
  if (request.limits === undefined && parts.entries.length + parts.carried.length <= KEPT_ENTRIES) {
    for (const oldest of splits.keys()) {
      if (splits.size < KEPT_TREES) break;
      splits.delete(oldest);
    }
    splits.set(place, parts);
  }
  return parts;
}

/** A job asks for the same few trees again and again, and what a tree's id names never changes. */
const splits = new Map<string, TreeParts>();
const KEPT_TREES = 8;
const KEPT_ENTRIES = 5_000;

async function split(request: TreeRequest): Promise<TreeParts> {
  const limits = request.limits ?? defaultTreeLimits;
  const raw = await readEntries(request);
  requireLimits(raw, limits);
  const faults = new Map<RawEntry, Fault>();
  for (const entry of raw) {
    const fault = entryFault(entry);
    if (fault !== undefined) faults.set(entry, fault);
  }
  const links = raw.filter((entry) => entry.mode === '120000' && !faults.has(entry));
  for (const [entry, fault] of await linkFaults(request, links)) faults.set(entry, fault);
  const isTwin = twinsOf(raw.map(({ path }) => path));
  for (const entry of raw) if (!faults.has(entry) && isTwin(entry.path)) faults.set(entry, TWIN);
  const entries: TreeEntry[] = [];
  const carried: CarriedEntry[] = [];
  for (const entry of raw) {
    const { mode, path, rawPath, blob, bytes } = entry;
    const fault = faults.get(entry);
    if (fault === undefined) entries.push({ mode: mode as FileMode, path, blob, bytes });
    else carried.push({ mode, path, rawPath, object: blob, bytes, ...fault });
  }
  return { entries, carried };
}

type Fault = Pick<CarriedEntry, 'code' | 'why'>;

const TWIN: Fault = {
  code: 'TREE-CASE-COLLISION',
  why: 'two names differ only in case or accents; rename one',
};

/** A link's target is not read beyond this. */
const linkBytes = 4096;

function entryFault({ mode, path }: RawEntry): Fault | undefined {
  if (mode === '160000')
    return { code: 'TREE-GITLINK', why: 'submodules are not followed; remove it or vendor its files' };
  if (mode !== '100644' && mode !== '100755' && mode !== '120000')
    throw new SandboxRefusal(
      'TREE-SPECIAL-FILE',
      `an entry has mode ${mode}; only files, executables and links are taken`,
      {
        path,
      },
    );
  const why = nameFault(path);
  return why === undefined ? undefined : { code: 'TREE-NAME-REFUSED', why };
}

async function linkFaults(request: TreeRequest, links: readonly RawEntry[]): Promise<Map<RawEntry, Fault>> {
  const faults = new Map<RawEntry, Fault>();
  const read = links.filter(({ bytes }) => bytes <= linkBytes);
  for (const link of links)
    if (link.bytes > linkBytes)
      faults.set(link, { code: 'TREE-LINK-ESCAPES', why: `a link's target has more than ${linkBytes} bytes` });
  let index = 0;
  for await (const target of readBlobs(
    request.repository,
    read.map(({ blob }) => blob),
    request.signal,
  )) {
    const link = read[index++];
    const why = link === undefined ? undefined : linkFault(link.path, target.toString('utf8'));
    if (link !== undefined && why !== undefined) faults.set(link, { code: 'TREE-LINK-ESCAPES', why });
  }
  return faults;
}

function requireLimits(entries: readonly RawEntry[], limits: TreeLimits): void {
  requireWithin(
    entries.map(({ path }) => path),
    limits,
  );
  let total = 0;
  for (const { path, bytes } of entries) {
    total += bytes;
    if (bytes > limits.blobBytes)
      throw new SandboxRefusal('TREE-BLOB-TOO-LARGE', `a file has ${bytes} bytes`, { path, limit: limits.blobBytes });
    if (total > limits.totalBytes)
      throw new SandboxRefusal('TREE-TOO-LARGE', 'the files of the tree are too large together', {
        path,
        limit: limits.totalBytes,
      });
  }
}

/** An entry as git has it, unchecked. A gitlink has no size and counts 0. */
export type RawEntry = {
  readonly mode: string;
  /** Bytes that are not UTF-8 are U+FFFD here. */
  readonly path: string;
  readonly rawPath: string;
  readonly blob: string;
  readonly bytes: number;
};

/** The entries of a tree, unchecked, in git's order. */
export async function readEntries(request: {
  readonly repository: string;
  readonly tree: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<RawEntry[]> {
  const { stdout } = await runGit({
    repository: request.repository,
    arguments: ['ls-tree', '-r', '-l', '-z', '--full-tree', request.tree],
    signal: request.signal,
  });
  return stdout
    .toString('latin1')
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const tab = record.indexOf('\t');
      const [mode = '', , blob = '', size = ''] = record.slice(0, tab).split(/ +/);
      const rawPath = record.slice(tab + 1);
      return {
        mode: mode === '100664' ? '100644' : mode,
        path: Buffer.from(rawPath, 'latin1').toString('utf8'),
        rawPath,
        blob,
        bytes: size === '-' ? 0 : Number(size),
      };
    });
}
