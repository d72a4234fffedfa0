import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PlacedMount } from './arguments.ts';

/** Ids without an account that a worker running as root gives up its own for. */
export const sandboxOwner = { uid: 64_250, gid: 64_250 } as const;

export const stagingTools = { setpriv: '/usr/bin/setpriv', unshare: '/usr/bin/unshare' } as const;

const stage = '/run/agent-factory/stage';

// $1 stage, $2 places that are folders, $3 places that are files, $4 what is mounted there as fstab(5), then the
// command. Runs as root in a mount namespace of its own. One mount(8) for all: each program started costs time.
const script = `set -e
stage=$1 folders=$2 files=$3 table=$4
shift 4
mount -t tmpfs -o mode=0711,size=1m stage "$stage"
(cd "$stage" && mkdir -p . $folders && for file in $files; do : > "$file"; done)
printf '%s\\n' "$table" > "$stage/table"
mount --all --fstab "$stage/table"
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
  const places = mounts.map(({ from }, index) => ({ at: String(index), from, folder: statSync(from).isDirectory() }));
  const named = (folder: boolean): string =>
    places.flatMap((place) => (place.folder === folder ? [place.at] : [])).join(' ');
  const table = places.map(({ at, from }) => `${fstabText(from)} ${stage}/${at} none bind 0 0`).join('\n');
  const staged = mounts.map((mount, index) => ({ ...mount, from: `${stage}/${index}` }));
  return {
    // From here to bubblewrap's own --die-with-parent, and again after the ids change, which clears it (prctl(2)).
    file: stagingTools.setpriv,
    arguments: [
      ...['--pdeathsig', 'KILL', '--', stagingTools.unshare],
      ...['--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'stage', stage],
      ...[named(true), named(false), table],
      ...command(staged),
    ],
  };
}

/** A path as fstab(5) writes it: what would end a field or a line in octal. */
const fstabText = (path: string): string =>
  path.replace(/[\\\s]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
