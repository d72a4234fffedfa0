import type { Lock, LockfileFault, PackageManager } from './locked.ts';
import type { Manifest } from './manifest.ts';
import { readNpmLockfile } from './npm-lockfile.ts';
import { readPnpmLockfile } from './pnpm-lockfile.ts';
import { readYarnLockfile } from './yarn-lockfile.ts';

/** Reads a lockfile of the manager that wrote it. */
export function readLock(
  manager: PackageManager,
  text: string,
  file: string,
  manifests: ReadonlyMap<string, Manifest>,
): Lock | LockfileFault {
  switch (manager) {
    case 'npm':
      return readNpmLockfile(text, file);
    case 'pnpm':
      return readPnpmLockfile(text, file);
    case 'yarn':
    case 'berry':
      return readYarnLockfile(text, manifests, file);
  }
}
