import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PlacedMount } from './arguments.ts';

/** Ids without an account that a worker running as root gives up its own for. */
export const sandboxOwner = { uid: 64_250, gid: 64_250 } as const;

export const stagingTools = { setpriv: '/usr/bin/setpriv', unshare: '/usr/bin/unshare' } as const;

const stage = '/run/agent-factory/stage';

// $1 stage, $2 how many sources, the sources, then the command. Runs as root in a mount namespace of its own.
const script = `set -e
stage=$1 count=$2
shift 2
mount -t tmpfs -o mode=0711,size=1m stage "$stage"
at=0
while [ "$at" -lt "$count" ]; do
  if [ -d "$1" ]; then mkdir "$stage/$at"; else : > "$stage/$at"; fi
  mount --bind "$1" "$stage/$at"
  shift
  at=$((at + 1))
done
exec setpriv --pdeathsig KILL --reuid=${sandboxOwner.uid} --regid=${sandboxOwner.gid} --clear-groups --inh-caps=-all --bounding-set=-all -- "$@"`;

/**
 * For a worker that runs as root. A program mapped to the host's root would own root's files below /usr, could write what /proc
 * leaves to root, and the kernel does not count root's processes (RLIMIT_NPROC skips INIT_USER). So bubblewrap is started as
 * {@link sandboxOwner}, who can't pass the worker's private directories: root first binds each source to a place it can reach,
 * in a mount namespace that ends with the sandbox.
 */
export function stageMounts(
  mounts: readonly PlacedMount[],
  command: (staged: readonly PlacedMount[]) => readonly string[],
) {
  mkdirSync(stage, { recursive: true });
  // Passable whatever the worker's umask is.
  for (const directory of [dirname(stage), stage]) chmodSync(directory, 0o711);
  const staged = mounts.map((mount, index) => ({ ...mount, from: `${stage}/${index}` }));
  return {
    // From here to bubblewrap's own --die-with-parent, and again after the ids change, which clears it (prctl(2)).
    file: stagingTools.setpriv,
    arguments: [
      ...['--pdeathsig', 'KILL', '--', stagingTools.unshare],
      ...['--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'stage', stage, String(mounts.length)],
      ...mounts.map(({ from }) => from),
      ...command(staged),
    ],
  };
}
