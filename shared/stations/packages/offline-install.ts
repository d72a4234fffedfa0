import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount, SandboxDriver } from '../../sandbox/driver.ts';
import { mountAt, places } from '../work/inside.ts';

export type OfflineInstall = {
  readonly argv: readonly [string, ...string[]];
  readonly mounts: readonly Mount[];
};

/**
 * The application's prepare command with the fetched packages in reach, where the job has any. The contents are mounted read-only
 * in npm's own layout and linked into its cache: npm's writes go beside them, and nothing is copied.
 */
export function offlineInstall(
  driver: SandboxDriver,
  packages: string | null,
  prepare: readonly [string, ...string[]],
): OfflineInstall {
  const source = fileURLToPath(
    new URL(`./inside/offline-install${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  const script = mountAt(driver, source, `${places.tools}/${basename(source)}`, 'read-only');
  if (packages === null) return { argv: ['node', script.target, '-', ...prepare], mounts: [script] };
  const contents = mountAt(driver, packages, places.packages, 'read-only');
  return { argv: ['node', script.target, contents.target, ...prepare], mounts: [script, contents] };
}
