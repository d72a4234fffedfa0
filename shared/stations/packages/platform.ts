import type { LockedPackage } from './locked.ts';

const system = { os: 'linux', cpu: process.arch, libc: 'glibc' } as const;

/**
 * Whether npm would install a locked package here: it leaves optional packages for other systems out (package.json `os`, `cpu`,
 * `libc`, where `!` excludes). What is not optional is fetched whatever it says, so that npm is the one to complain.
 */
export function isForThisPlatform({ platform }: LockedPackage): boolean {
  if (!platform.optional) return true;
  return fits(platform.os, system.os) && fits(platform.cpu, system.cpu) && fits(platform.libc, system.libc);
}

function fits(wanted: readonly string[], own: string): boolean {
  if (wanted.includes(`!${own}`)) return false;
  const named = wanted.filter((name) => !name.startsWith('!'));
  return named.length === 0 || named.includes(own) || named.includes('any');
}
