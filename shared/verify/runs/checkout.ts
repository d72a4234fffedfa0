import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskFailure } from '../../jobs/task.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { materialiseTree } from '../../sandbox/git/tree-materialise.ts';
import { offlineInstall } from '../../stations/packages/offline-install.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { Bench } from './bench.ts';
import { type Checkout, runProgram } from './run-program.ts';

/** Code of the failure when the application's prepare command does not pass. */
export const PREPARE_FAILED = 'PREPARE-FAILED';

const prepareMs = 5 * 60_000;

/**
 * Writes a tree out and runs the application's `prepare` command in it, offline. Each check starts from a checkout of its own, so
 * that what one run of changed code leaves behind is not what the next one reads.
 */
export async function checkOut(bench: Bench, repository: string, tree: TreeId, title: string): Promise<Checkout> {
  const { context, driver, declaration } = bench;
  const root = join(context.directory, 'checkouts');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(driver, join(await mkdtemp(join(root, 'tree-')), 'tree'));
  await materialiseTree({ repository, tree, directory, owner: driver.fileOwner, signal: context.signal });
  const checkout: Checkout = {
    directory,
    mounts: [mountAt(driver, directory, places.workspace, 'read-write')],
    workingDirectory: driver.isolation === 'none' ? directory : places.workspace,
  };
  if (declaration.prepare === undefined) return checkout;
  const install = offlineInstall(driver, bench.packages, declaration.prepare);
  const of = `prepare for ${title}`;
  const result = await runProgram(bench, checkout, {
    of,
    argv: install.argv,
    timeoutMs: prepareMs,
    mounts: install.mounts,
  });
  if (result.exitCode !== 0) {
    const said = new TextDecoder().decode(result.stderr.subarray(-600)).trim();
    throw new TaskFailure({
      kind: 'retryable',
      class: 'deterministic',
      code: PREPARE_FAILED,
      message: `The application's prepare command ended with ${result.exitCode ?? result.endedBy} for ${title}: ${said}`,
    });
  }
  return checkout;
}
