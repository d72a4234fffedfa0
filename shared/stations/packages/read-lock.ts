import { fault, type Lock, type LockfileFault, type PackageManager } from './locked.ts';
import { readNpmLockfile } from './npm-lockfile.ts';

/** Reads a lockfile of the manager that wrote it. */
export function readLock(manager: PackageManager, text: string, file?: string): Lock | LockfileFault {
  switch (manager) {
    case 'npm':
      return readNpmLockfile(text, file);
    default:
      return fault('LOCKFILE-UNREADABLE', `Lockfiles of ${manager} are not read. Update by hand?`);
  }
}
