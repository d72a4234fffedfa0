import { lstatSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, normalize } from 'node:path';
import type { FileOwner, Mount, RunTools } from './driver.ts';
import { SandboxRefusal } from './refusal.ts';

/** Places inside a sandbox that are the driver's own. */
const reserved = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', '/proc', '/dev', '/sys', '/opt/node'];

/**
 * The mounts as they are made: sources resolved, a `.git` at the top of a read-write mount bound over itself read-only.
 * Throws `SANDBOX-MOUNT-REFUSED`.
 */
export function resolveMounts(mounts: readonly Mount[], owner: FileOwner): Mount[] {
  return mounts.flatMap((mount) => {
    const source = resolveSource(mount, owner);
    requireTarget(mount.target);
    const resolved = { ...mount, source };
    return mount.mode === 'read-write' ? [resolved, ...gitMount(resolved)] : [resolved];
  });
}

function resolveSource(mount: Mount, owner: FileOwner): string {
  let source: string;
  try {
    source = realpathSync(mount.source);
  } catch (cause) {
    throw refused(mount, 'its source does not exist or is closed to the worker', cause);
  }
  if (!isAbsolute(mount.source) || source === '/')
    throw refused(mount, 'its source has to be an absolute path below /');
  const { uid } = statSync(source);
  if (mount.mode === 'read-write' && owner !== null && uid !== owner.uid) {
    throw refused(
      mount,
      `its source belongs to uid ${uid}, but the program writes as uid ${owner.uid}: create it for the driver's fileOwner`,
    );
  }
  return source;
}

/** Throws `SANDBOX-MOUNT-REFUSED` for a place inside that no mount may have. */
export function requireTarget(target: string): void {
  const plain = isAbsolute(target) && normalize(target) === target && target !== '/' && !target.endsWith('/');
  if (plain && !reserved.some((place) => target === place || target.startsWith(`${place}/`))) return;
  throw new SandboxRefusal(
    'SANDBOX-MOUNT-REFUSED',
    "a mount has to go to an absolute, normalised path that is not the driver's own",
    { path: target },
  );
}

/** Nothing that holds one of these is a tool: accounts, keys, sockets and other people's files lie below them. */
const neverWhole = [
  '/',
  '/etc',
  '/etc/ssl',
  '/home',
  '/root',
  '/run',
  '/var',
  '/proc',
  '/sys',
  '/dev',
  '/tmp',
  '/boot',
  '/opt',
];

/**
 * Tools as they are mounted: read-only and at their own path, those below `/usr` left out. Throws `SANDBOX-MOUNT-REFUSED` for a path
 * that would show a home or a system's folder whole.
 */
export function toolMounts(tools: RunTools | undefined): Mount[] {
  const outside = (tools?.directories ?? []).filter((path) => !path.startsWith('/usr/'));
  return outside.map((path) => {
    const mount = { source: path, target: path, mode: 'read-only' } as const;
    const held = [...neverWhole, homedir()].find((place) => place === path || place.startsWith(`${path}/`));
    if (held !== undefined) throw refused(mount, `it holds ${held}, and only a tool's own folder may be seen inside`);
    if (resolveSource(mount, null) !== path) throw refused(mount, 'a tool is mounted by its real path');
    return mount;
  });
}

// A tool that can write .git/config or .git/hooks has code running in whoever next uses that repository.
function gitMount(mount: Mount): Mount[] {
  const source = join(mount.source, '.git');
  const found = lstatSync(source, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isSymbolicLink()) throw refused(mount, 'its .git is a symbolic link');
  return [{ source, target: join(mount.target, '.git'), mode: 'read-only' }];
}

function refused(mount: Mount, why: string, cause?: unknown): SandboxRefusal {
  return new SandboxRefusal('SANDBOX-MOUNT-REFUSED', `${mount.source} can't be mounted: ${why}`, {
    path: mount.target,
    cause,
  });
}
