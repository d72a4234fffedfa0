import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TaskFailure } from '../../jobs/task.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { materialiseTree } from '../../sandbox/git/tree-materialise.ts';
import { offlineInstall } from '../../stations/packages/offline-install.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { Bench } from './bench.ts';
import { lastLines } from './output-text.ts';
import { type Checkout, runProgram } from './run-program.ts';

/** A prepared tree's directory, by tree. What failed to be prepared is not kept: it failed the job. */
export type PreparedTrees = Map<TreeId, Promise<string>>;

const prepareMs = 5 * 60_000;

/**
 * A tree written out, with the application's `prepare` command run in it, offline. Each run starts from a checkout of its own, so that
 * what one run of changed code leaves behind is not what the next one reads. The tree is prepared once a job and copied for each run.
 * Where nothing isolates programs, each checkout is prepared at its own place: what was prepared may name its path.
 * Where packages could not be had, a prepare command that fails is no reason to stop: a check that needs them fails by itself, one that
 * does not goes on.
 */
export async function checkOut(bench: Bench, repository: string, tree: TreeId, title: string): Promise<Checkout> {
  const { context, driver, declaration, prepared } = bench;
  if (declaration.prepare === undefined || driver.isolation === 'none') return prepare(bench, repository, tree, title);
  let ready = prepared.get(tree);
  if (ready === undefined) {
    ready = prepare(bench, repository, tree, title).then(({ directory }) => directory);
    prepared.set(tree, ready);
  }
  const home = await newHome(bench);
  const directory = join(home, 'tree');
  await copyTree(await ready, directory, context.signal);
  return checkoutAt(bench, home, directory);
}

async function newHome({ context }: Bench): Promise<string> {
  const root = join(context.directory, 'checkouts');
  await mkdir(root, { recursive: true, mode: 0o700 });
  return mkdtemp(join(root, 'tree-'));
}

const checkoutAt = ({ driver }: Bench, home: string, directory: string): Checkout => ({
  directory,
  mounts: [mountAt(driver, directory, places.workspace, 'read-write')],
  workingDirectory: driver.isolation === 'none' ? directory : places.workspace,
  discard: () => rm(home, { recursive: true, force: true }),
});

const execute = promisify(execFile);

/** cp(1) and not node:fs: for 32,000 files of packages 14 s against 51 s side by side, and with `reflink` nothing is copied where the file system can share. */
async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  await execute('cp', ['-a', ...(process.platform === 'linux' ? ['--reflink=auto'] : []), '--', from, to], { signal });
}

async function prepare(bench: Bench, repository: string, tree: TreeId, title: string): Promise<Checkout> {
  const { context, driver, declaration } = bench;
  const home = await newHome(bench);
  const directory = await writableDirectory(driver, join(home, 'tree'));
  await materialiseTree({ repository, tree, directory, owner: driver.fileOwner, signal: context.signal });
  const checkout = checkoutAt(bench, home, directory);
  if (declaration.prepare === undefined) return checkout;
  const install = offlineInstall(driver, bench.packages, declaration.prepare);
  const result = await runProgram(bench, checkout, {
    of: `prepare for ${title}`,
    argv: install.argv,
    timeoutMs: prepareMs,
    mounts: install.mounts,
  });
  if (result.exitCode !== 0 && bench.preparation.mayFail) {
    bench.preparation.failed = true;
    bench.findings.caveat(
      'the prepare command failed, as packages could not be had: what ran, ran in the checkout as it is',
    );
    return checkout;
  }
  if (result.exitCode !== 0) throw new PrepareFailed(tree, title, result);
  return checkout;
}

/**
 * The prepare command did not pass for a tree: again and again the same, so a person is asked. Of a tree that is the change's, the
 * verifier may know that it is the change's fault.
 */
export class PrepareFailed extends TaskFailure {
  readonly tree: TreeId;
  constructor(tree: TreeId, title: string, result: SandboxResult) {
    super({
      kind: 'needs_human',
      code: 'PREPARE-FAILED',
      question: `The application's prepare command ended with ${result.exitCode ?? result.endedBy} for ${title} (PREPARE-FAILED), so nothing that needs it can run. It runs offline, with the packages of the lockfile and without credentials: a script that wants the network, headers to compile with, or another release of node fails there (see prepare and environment in the declaration). Its last lines:\n${lastLines(result, { lines: 15, characters: 1_000 }) || '(none)'}\nCorrect the prepare command or what it needs, and submit again?`,
    });
    this.tree = tree;
  }
}
