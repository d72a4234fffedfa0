import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The controllers that bound a sandbox; the names are the kernel's (cgroup v2). */
const CONTROLLERS = ['memory', 'pids'] as const;

/** Where the kernel says which group this process is in and where groups are mounted; a test has files of its own. */
export type Machine = { readonly membership: string; readonly mounts: string };
const thisMachine: Machine = { membership: '/proc/self/cgroup', mounts: '/proc/self/mountinfo' };

export type FoundGroup =
  | { readonly usable: true; readonly directory: string }
  | { readonly usable: false; readonly reason: string };

/**
 * The control group (version 2) below which this process may bound sandboxes: its own or the one above, where that
 * is delegated to it (systemd.resource-control(5), `Delegate=`), has the controllers for memory and processes, and
 * holds no process of its own, since a group with processes can't give controllers on (cgroups(7), "no internal
 * processes"). Otherwise the reason in words.
 */
export function findControlGroup(machine: Machine = thisMachine): FoundGroup {
  const mounted = mountPoint(read(machine.mounts));
  if (mounted === undefined) return unusable('no cgroup v2 is mounted');
  const own = /^0::(\/.*)$/m.exec(read(machine.membership))?.[1];
  if (own === undefined || own.includes('/..'))
    return unusable('this process is in no group of cgroup v2 that it can see');
  const group = own === '/' ? mounted : join(mounted, own);
  const reasons: string[] = [];
  for (const directory of [group, ...aboveOf(group, mounted)]) {
    const lack = lackOf(directory);
    if (lack === undefined) return { usable: true, directory };
    reasons.push(`${directory} ${lack}`);
  }
  return unusable(reasons.join('; '));
}

/**
 * The group above is ours only when it is a service's own (`DelegateSubgroup=`): slices and the root are systemd's,
 * whoever may write to them.
 */
function aboveOf(group: string, mounted: string): string[] {
  const above = dirname(group);
  return group === mounted || above === mounted || above.endsWith('.slice') ? [] : [above];
}

/** What keeps sandboxes from being bounded below a group; undefined when nothing does: it gives its controllers on. */
function lackOf(directory: string): string | undefined {
  const offered = read(join(directory, 'cgroup.controllers')).split(/\s+/);
  const missing = CONTROLLERS.filter((name) => !offered.includes(name));
  if (missing.length > 0) return `does not have the controllers ${missing.join(' and ')}`;
  const given = join(directory, 'cgroup.subtree_control');
  for (const path of [directory, join(directory, 'cgroup.procs'), given])
    if (!isWritable(path)) return 'is not delegated to this user';
  const gives = (): boolean => {
    const names = read(given).split(/\s+/);
    return CONTROLLERS.every((name) => names.includes(name));
  };
  if (gives()) return undefined;
  try {
    writeFileSync(given, CONTROLLERS.map((name) => `+${name}`).join(' '));
  } catch (error) {
    const busy = (error as NodeJS.ErrnoException).code === 'EBUSY';
    return busy
      ? 'holds processes of its own (start the plane with DelegateSubgroup=)'
      : `gives no controllers on: ${error}`;
  }
  return gives() ? undefined : 'took the controllers and does not give them on';
}

/**
 * Of the mount whose root is the root of the hierarchy as this process sees it (proc(5), mountinfo: fields 4 and 5,
 * type behind the dash).
 */
function mountPoint(mounts: string): string | undefined {
  return /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(mounts)?.[1];
}

const unusable = (reason: string): FoundGroup => ({ usable: false, reason });

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

// What is not there or closed to us reads as empty, and lacks what is looked for.
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
