import { chown, mkdir } from 'node:fs/promises';
import type { Mount, SandboxDriver } from '../../sandbox/driver.ts';

/** Where the parts of a job appear inside a sandbox. */
export const places = {
  workspace: '/workspace',
  report: '/factory/report',
  packages: '/factory/packages',
  wheels: '/factory/wheels',
  python: '/factory/python',
  tools: '/factory/tools',
  socket: '/factory/socket',
  cache: '/factory/cache',
} as const;

/**
 * A mount at its place inside. A driver without isolation has no other file system, so there everything stays where it is.
 */
export function mountAt(driver: SandboxDriver, source: string, target: string, mode: Mount['mode']): Mount {
  return { source, target: driver.isolation === 'none' ? source : target, mode };
}

/** A new, empty directory that programs inside may write to. */
export async function writableDirectory(driver: SandboxDriver, path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 });
  if (driver.fileOwner !== null) await chown(path, driver.fileOwner.uid, driver.fileOwner.gid);
  return path;
}
