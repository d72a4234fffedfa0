import { existsSync } from 'node:fs';
import type { SandboxRun } from '../driver.ts';
import { scratchBytes } from '../limits.ts';
import type { NodeRuntime } from '../node-runtime.ts';
import { limitCommand } from '../running/limit-command.ts';

/** Where bubblewrap finds a mount's source: the host path, or its stand-in in the staging directory. */
export type PlacedMount = { readonly from: string; readonly target: string; readonly mode: 'read-only' | 'read-write' };

export const bubblewrapPath = '/usr/bin/bwrap';

export const homeDirectory = '/home/factory';

/** Descriptors of bubblewrap; the supervisor opens them as pipes in this order. */
export const descriptors = { status: 3, passwd: 4, group: 5, hosts: 6, seccomp: 7 } as const;

/** What is written to the descriptors that become files in /etc. One user, no one else; names that resolve to loopback alone. */
export const accountFiles = {
  passwd: `factory:x:1000:1000::${homeDirectory}:/bin/sh\n`,
  group: 'factory:x:1000:\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
} as const;

// Configuration that an administrator put below /usr may hold a registry's token (npm reads /usr/etc/npmrc).
const masked = ['/usr/etc', '/usr/local/etc'];

/**
 * bubblewrap's arguments for one run. An allow-list: what is not bound here does not exist inside. The root and /dev are made
 * read-only last, as both are file systems in memory without a size.
 */
export function bubblewrapArguments(run: SandboxRun, mounts: readonly PlacedMount[], node: NodeRuntime): string[] {
  const environment = {
    PATH: [...new Set([...(run.tools?.path ?? []), node.binDirectory, '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
    HOME: homeDirectory,
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    ...run.environment,
  };
  const scratch = ['--size', String(scratchBytes), '--perms', '0700', '--tmpfs'];
  return [
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL'],
    ...['--die-with-parent', '--new-session', '--hostname', 'sandbox', '--clearenv'],
    ...['--json-status-fd', String(descriptors.status), '--seccomp', String(descriptors.seccomp)],
    ...['--ro-bind', '/usr', '/usr'],
    ...masked.filter((path) => existsSync(path)).flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...['bin', 'sbin', 'lib', 'lib64']
      .filter((name) => existsSync(`/usr/${name}`))
      .flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['/etc/ld.so.cache', '/etc/alternatives'].flatMap((path) => ['--ro-bind-try', path, path]),
    ...[
      '--ro-bind-data',
      String(descriptors.passwd),
      '/etc/passwd',
      '--ro-bind-data',
      String(descriptors.group),
      '/etc/group',
    ],
    ...['--ro-bind-data', String(descriptors.hosts), '/etc/hosts'],
    ...[
      '--dev',
      '/dev',
      '--size',
      String(scratchBytes),
      '--tmpfs',
      '/dev/shm',
      '--remount-ro',
      '/dev',
      '--proc',
      '/proc',
    ],
    ...[...scratch, '/tmp', ...scratch, homeDirectory],
    ...mounts.flatMap(({ from, target, mode }) => [mode === 'read-only' ? '--ro-bind' : '--bind', from, target]),
    ...node.links.flatMap(({ at, to }) => ['--symlink', to, at]),
    ...['--remount-ro', '/', '--chdir', run.workingDirectory],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--', ...limitCommand(run.limits, run.argv)],
  ];
}
