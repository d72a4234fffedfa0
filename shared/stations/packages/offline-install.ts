import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount, SandboxDriver } from '../../sandbox/driver.ts';
import { mountAt, places } from '../work/inside.ts';

export type OfflineInstall = {
  readonly argv: readonly [string, ...string[]];
  readonly mounts: readonly Mount[];
};

/**
 * The application's prepare command with the fetched packages in reach, or as it is where the job has none. The contents are
 * mounted read-only in npm's own layout and linked into its cache: npm's writes go beside them, and nothing is copied.
 */
export function offlineInstall(
  driver: SandboxDriver,
  packages: string | null,
  prepare: readonly [string, ...string[]],
): OfflineInstall {
  if (packages === null) return { argv: prepare, mounts: [] };
  const source = fileURLToPath(
    new URL(`./inside/offline-install${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  const script = mountAt(driver, source, `${places.tools}/${basename(source)}`, 'read-only');
  const contents = mountAt(driver, packages, places.packages, 'read-only');
  return { argv: ['node', script.target, contents.target, ...prepare], mounts: [script, contents] };
}
