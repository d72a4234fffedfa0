import { lchown, lstat, lutimes, mkdir, open, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileOwner } from '../driver.ts';
import { removeTree } from '../workspace/remove-tree.ts';
import {
  type RecordLimits,
  readRecords,
  requireLinkInside,
  type TreeRecord,
  TreeRefused,
  utf8,
} from './tree-records.ts';

/**
 * Writes records over a directory that nothing else writes to meanwhile: files get mode 0644 or 0755 and `owner`, what they replace is removed first, and every
 * directory on the way is looked at, so that nothing is written through a link. `closed` names places that may not be touched, nor anything below them.
 *
 * @throws TreeRefused what is no tree, or reaches for a closed place; the directory is then half written.
 */
export async function unpackTree(
  root: string,
  source: AsyncIterable<Uint8Array>,
  options: { readonly limits: RecordLimits; readonly owner: FileOwner; readonly closed: ReadonlySet<string> },
): Promise<void> {
  const seen = new Set<string>();
  const real = new Set<string>(['.']);
  for await (const { record, content } of readRecords(source, options.limits)) {
    const { path, kind } = record;
    requireOpen(path, options.closed);
    const removing = kind === 'removed';
    if (seen.has(`${removing}${path}`)) throw new TreeRefused('an entry came twice', path);
    seen.add(`${removing}${path}`);
    await requireParent(root, path, real);
    const place = join(root, path);
    if (kind === 'directory') await makeDirectory(place, options.owner);
    else {
      const wasDirectory = await clear(place);
      if (wasDirectory)
        for (const known of real) if (known === path || known.startsWith(`${path}/`)) real.delete(known);
      if (kind === 'link') await makeLink(place, record, content(), options.owner);
      else if (!removing) await makeFile(place, record, content(), options.owner);
    }
  }
}

function requireOpen(path: string, closed: ReadonlySet<string>): void {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
    if (closed.has(at)) throw new TreeRefused('an entry lies where nothing may change', path);
    if (!at.includes('/')) return;
  }
}

/** Every directory above, from the root down, is a directory and no link to one. */
async function requireParent(root: string, path: string, real: Set<string>): Promise<void> {
  const parent = dirname(path);
  if (real.has(parent)) return;
  await requireParent(root, parent, real);
  const found = await lstat(join(root, parent)).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new TreeRefused('an entry lies in no directory', path);
  real.add(parent);
}

async function makeDirectory(place: string, owner: FileOwner): Promise<void> {
  const found = await lstat(place).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  await clear(place);
  await mkdir(place, { mode: 0o755 });
  if (owner !== null) await lchown(place, owner.uid, owner.gid);
}

async function makeLink(
  place: string,
  record: TreeRecord,
  content: AsyncIterable<Buffer>,
  owner: FileOwner,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  const target = utf8(Buffer.concat(parts), 'the target of a link');
  requireLinkInside(record.path, target);
  await symlink(target, place);
  if (owner !== null) await lchown(place, owner.uid, owner.gid);
}

async function makeFile(
  place: string,
  record: TreeRecord,
  content: AsyncIterable<Buffer>,
  owner: FileOwner,
): Promise<void> {
  const file = await open(place, 'wx', 0o600);
  try {
    for await (const part of content) await file.writeFile(part);
    await file.chmod(record.kind === 'executable' ? 0o755 : 0o644);
    if (owner !== null) await file.chown(owner.uid, owner.gid);
  } finally {
    await file.close();
  }
  await lutimes(place, record.changedAt, record.changedAt);
}

/** Removes what is there; tells whether it was a directory. */
async function clear(place: string): Promise<boolean> {
  const found = await lstat(place).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isDirectory()) await rm(place);
  else await removeTree(place);
  return found.isDirectory();
}
