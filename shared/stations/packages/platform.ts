import type { LockedPackage } from './locked.ts';

const system = { os: 'linux', cpu: process.arch, libc: 'glibc' } as const;

/**
 * Whether a locked package's files are wanted here. Managers leave optional packages for other systems out (package.json `os`, `cpu`,
 * `libc`, where `!` excludes). What is not optional is fetched whatever it says, so that the manager is the one to complain.
 */
export function isForThisPlatform({ platform, everywhere }: LockedPackage): boolean {
  if (!platform.optional || everywhere === true) return true;
  return fits(platform.os, system.os) && fits(platform.cpu, system.cpu) && fits(platform.libc, system.libc);
}

function fits(wanted: readonly string[], own: string): boolean {
  if (wanted.includes(`!${own}`)) return false;
  const named = wanted.filter((name) => !name.startsWith('!'));
  return named.length === 0 || named.includes(own) || named.includes('any');
}
