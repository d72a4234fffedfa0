import { join } from 'node:path';
import { PROGRAM } from '../domain/program.ts';
import type { TaskContext, TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { bundleRepository } from '../sandbox/git/bundle.ts';
import { commitTree } from '../sandbox/git/commit.ts';
import { diffTrees } from '../sandbox/git/diff.ts';
import type { Station } from './station.ts';
import { openStationWork } from './station-work.ts';
import { changeFacts } from './work/change-facts.ts';
import { changeScope } from './work/path-scope.ts';
import { treeIdentity } from './work/tree-identity.ts';

/** The task `implement`: writes the outputs `change` (a thin git bundle with one commit on the base) and `diff`. */
export async function implementTask(
  context: TaskContext,
  driver: SandboxDriver,
  station: Station,
): Promise<TaskResult> {
  const work = await openStationWork(context, driver, station);
  const { packet, declaration, base } = work;
  const { repository } = base;
  const { signal } = context;
  const tree = await station.implement(work);
  const { patch, entries } = await diffTrees({ repository, from: base.tree, to: tree, signal });
  const facts = changeFacts(declaration, entries, {
    baseCommit: base.commit,
    gitTree: tree,
    baseTree: (await treeIdentity(repository, base.tree, signal)).tree,
    headTree: (await treeIdentity(repository, tree, signal)).tree,
    stationVersion: `${PROGRAM.version} with ${await station.tool(work)}`,
  });
  if (entries.length === 0) {
    return { outcome: { verdict: 'no_change', summary: 'the station left every file as it was', facts, unknowns: [] } };
  }
  const inScope = changeScope(packet);
  const outside = entries.find(({ path }) => !inScope(path));
  if (outside !== undefined) {
    const question = `The change touches ${outside.path}, which the packet's scope does not allow. Widen scope.allowedPaths and submit again, or reduce the change?`;
    return {
      outcome: {
        verdict: 'needs_human',
        summary: 'CHANGE-OUT-OF-SCOPE',
        question: question.slice(0, 2_000),
        facts,
        unknowns: [],
      },
    };
  }
  const [title = packet.goal] = packet.goal.split('\n');
  const commit = await commitTree({
    repository,
    tree,
    parent: base.commit,
    message: title.slice(0, 200),
    at: new Date(),
    signal,
  });
  const file = join(context.directory, 'change.bundle');
  await bundleRepository({ repository, commit, base: base.commit, file, signal });
  await context.output({ name: 'change', kind: 'change_bundle', mediaType: 'application/x-git-bundle', file });
  await context.output({ name: 'diff', kind: 'diff', mediaType: 'text/x-diff', bytes: patch });
  return { outcome: { verdict: 'changed', summary: `${entries.length} files changed`, facts, unknowns: [] } };
}
