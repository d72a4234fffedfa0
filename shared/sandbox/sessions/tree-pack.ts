import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type RecordKind,
  type RecordLimits,
  recordHeader,
  recordsEnd,
  requireLinkInside,
  TreeRefused,
} from './tree-records.ts';

export type FoundEntry = { readonly path: string; readonly kind: RecordKind; readonly status: BigIntStats };

/**
 * Everything below a directory by lstat, parents first, but what `leave` names and sockets, which are no contents. @throws TreeRefused for pipes and devices,
 * and beyond the limit of entries.
 */
export async function* walkTree(root: string, leave: ReadonlySet<string>, entries: number): AsyncGenerator<FoundEntry> {
  let count = 0;
  const directories = [''];
  for (let parent = directories.pop(); parent !== undefined; parent = directories.pop()) {
    for (const name of (await readdir(join(root, parent))).sort()) {
      const path = parent === '' ? name : `${parent}/${name}`;
      if (leave.has(path)) continue;
      const status = await lstat(join(root, path), { bigint: true });
      if (status.isSocket()) continue;
      count += 1;
      if (count > entries) throw new TreeRefused(`there are more than ${entries} entries`);
      const kind = kindOf(status);
      if (kind === undefined) throw new TreeRefused('neither a file, a directory nor a link', path);
      yield { path, kind, status };
      if (kind === 'directory') directories.push(path);
    }
  }
}

function kindOf(status: BigIntStats): RecordKind | undefined {
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'link';
  if (status.isFile()) return (status.mode & 0o100n) === 0n ? 'file' : 'executable';
  return undefined;
}

/**
 * A tree as records; of its entries those that `changed` picks, after the `removed`. A file that changes while it is read is refused. @throws TreeRefused
 */
export async function* packTree(
  root: string,
  options: {
    readonly leave: ReadonlySet<string>;
    readonly limits: RecordLimits;
    readonly removed?: readonly string[];
    readonly changed?: (entry: FoundEntry) => boolean;
  },
): AsyncGenerator<Buffer> {
  const { leave, limits, removed = [], changed = () => true } = options;
  let count = 0;
  let bytes = 0;
  for (const path of removed) {
    count += 1;
    yield recordHeader({ kind: 'removed', path, size: 0, changedAt: 0 });
  }
  for await (const entry of walkTree(root, leave, limits.entries)) {
    if (!changed(entry)) continue;
    count += 1;
    for await (const part of packEntry(root, entry)) {
      bytes += part.length;
      if (bytes > limits.bytes) throw new TreeRefused(`the files are larger than ${limits.bytes} bytes together`);
      yield part;
    }
  }
  yield recordsEnd(count);
}

/** One regular file as records, under a name of its own. */
export async function* packFile(file: string, name: string, limits: RecordLimits): AsyncGenerator<Buffer> {
  const status = await lstat(file, { bigint: true });
  const kind = kindOf(status);
  if (kind !== 'file' && kind !== 'executable') throw new TreeRefused('not a regular file', name);
  if (status.size > limits.bytes) throw new TreeRefused(`a file is larger than ${limits.bytes} bytes`, name);
  yield* packContent(file, { path: name, kind, status });
  yield recordsEnd(1);
}

async function* packEntry(root: string, entry: FoundEntry): AsyncGenerator<Buffer> {
  const { path, kind, status } = entry;
  const changedAt = Number(status.mtimeMs / 1000n);
  if (kind === 'file' || kind === 'executable') yield* packContent(join(root, path), entry);
  else if (kind === 'link') {
    const target = await readlink(join(root, path));
    requireLinkInside(path, target);
    const content = Buffer.from(target);
    yield recordHeader({ kind, path, size: content.length, changedAt });
    yield content;
  } else yield recordHeader({ kind, path, size: 0, changedAt });
}

async function* packContent(file: string, { path, kind }: FoundEntry): AsyncGenerator<Buffer> {
  // Not blocking: should it have become a pipe since it was listed, opening it may not wait for a writer.
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await opened.stat();
    if (!status.isFile()) throw new TreeRefused('a file changed while it was read', path);
    yield recordHeader({ kind, path, size: status.size, changedAt: status.mtimeMs / 1000 });
    for (let sent = 0; sent < status.size; ) {
      const { buffer, bytesRead } = await opened.read(Buffer.allocUnsafe(Math.min(status.size - sent, 1024 * 1024)));
      if (bytesRead === 0) throw new TreeRefused('a file changed while it was read', path);
      sent += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await opened.close();
  }
}
