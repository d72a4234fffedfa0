import { chmod, chown, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { workspaceEntries } from '../../shared/sandbox/limits.ts';
import { requireTarget } from '../../shared/sandbox/mounts.ts';
import { MOUNT_BYTES, nestedIn, type OrderedMount } from '../../shared/sandbox/sessions/protocol.ts';
import { type FoundEntry, packTree, walkTree } from '../../shared/sandbox/sessions/tree-pack.ts';
import { unpackTree } from '../../shared/sandbox/sessions/tree-unpack.ts';
import { OrderRefused } from './order.ts';
import { programOwner } from './program.ts';
import type { Spool } from './spool.ts';

/** A mount as it was when the program started. */
export type PlacedMount = {
  readonly index: number;
  readonly mount: OrderedMount;
  /** Where other mounts lie in it. */
  readonly leave: ReadonlySet<string>;
  readonly before: ReadonlyMap<string, string>;
};

const limits = { entries: workspaceEntries, bytes: MOUNT_BYTES };
export const uploadOf = (index: number): string => `mount-${index}`;
export const changesOf = (index: number): string => `changes-${index}`;

/**
 * Makes the mounts out of what was uploaded, outer ones first. What is mounted read-only belongs to the agent's user, so that the program can't write to it.
 * @throws OrderRefused | TreeRefused | SandboxRefusal
 */
export async function placeMounts(spool: Spool, mounts: readonly OrderedMount[]): Promise<readonly PlacedMount[]> {
  const numbered = mounts.map((mount, index) => ({ mount, index }));
  const outerFirst = [...numbered].sort((a, b) => a.mount.target.length - b.mount.target.length);
  const placed: PlacedMount[] = [];
  for (const { mount, index } of outerFirst) {
    const leave = nestedIn(mount, mounts);
    await place(spool, mount, index, leave);
    placed.push({ mount, index, leave, before: new Map() });
  }
  return await Promise.all(
    placed.map(async (each) => (each.mount.mode === 'read-only' ? each : { ...each, before: await snapshot(each) })),
  );
}

async function place(spool: Spool, mount: OrderedMount, index: number, closed: ReadonlySet<string>): Promise<void> {
  const { target } = mount;
  requireTarget(target);
  if ((await spool.size(uploadOf(index))) !== mount.bytes)
    throw new OrderRefused(`mount ${index} did not arrive whole`);
  const owner = mount.mode === 'read-write' ? programOwner : null;
  if (mount.kind === 'file') {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await unpackTree(dirname(target), spool.read(uploadOf(index)), {
      limits: { ...limits, entries: 1 },
      owner,
      closed: new Set(),
    });
    // The one file may have come under another name.
    if ((await stat(target).catch(() => undefined))?.isFile() !== true)
      throw new OrderRefused(`mount ${index} is not the file it is said to be`);
  } else {
    await mkdir(target, { recursive: true, mode: 0o755 });
    if ((await readdir(target)).length > 0) throw new OrderRefused(`${target} is taken`);
    if (owner !== null) await chown(target, owner.uid, owner.gid);
    await chmod(target, 0o755);
    await unpackTree(target, spool.read(uploadOf(index)), { limits, owner, closed });
  }
  await spool.remove(uploadOf(index));
}

// ctime and inode change with every change that a program without privileges can make; of a directory, what is in it is looked at by itself.
const stampOf = ({ kind, status }: FoundEntry): string =>
  kind === 'directory' ? kind : `${kind} ${status.ino} ${status.ctimeNs} ${status.size}`;

async function snapshot({ mount, leave }: PlacedMount): Promise<Map<string, string>> {
  const stamps = new Map<string, string>();
  for await (const entry of walkTree(mount.target, leave, limits.entries)) stamps.set(entry.path, stampOf(entry));
  return stamps;
}

/** Keeps the records of what changed in a mount for the worker; answers their length, 0 when nothing did. @throws TreeRefused */
export async function keepChanges(spool: Spool, placed: PlacedMount, diskBytes: number): Promise<number> {
  const { before, mount, leave, index } = placed;
  const after = await snapshot(placed);
  const isChanged = (path: string): boolean => before.get(path) !== after.get(path);
  const gone = [...before.keys()].filter((path) => !after.has(path));
  // What lies in a directory that is gone, or that is none any more, goes with it.
  const removed = gone.filter((path) => {
    const parent = dirname(path);
    return parent === '.' || after.get(parent) === 'directory';
  });
  if (removed.length === 0 && ![...after.keys()].some(isChanged)) return 0;
  return await spool.write(
    changesOf(index),
    packTree(mount.target, {
      leave,
      limits: { entries: limits.entries, bytes: diskBytes },
      removed,
      changed: ({ path }) => isChanged(path),
    }),
  );
}
