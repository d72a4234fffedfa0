import type { TaskContext } from '../../jobs/task.ts';
import { openBundle } from '../../sandbox/git/bundle.ts';
import { requireSameCarried } from '../../sandbox/git/carried.ts';
import { parseCommitId } from '../../sandbox/git/object-id.ts';
import { runGit } from '../../sandbox/git/spawn.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Snapshot } from '../../stations/work/base.ts';

/**
 * Opens the change a station proposes beside the base: one commit whose only parent is the base commit. What the station says
 * about it is not read; diff and tree are computed from these objects.
 */
export async function openChange(context: TaskContext, base: Snapshot): Promise<Snapshot> {
  const file = await context.inputFile('change');
  const { commit, tree } = await openBundle({ file, into: base.repository, signal: context.signal });
  const { stdout } = await runGit({
    repository: base.repository,
    arguments: ['rev-parse', `${commit}^@`],
    signal: context.signal,
  });
  const parents = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map(parseCommitId);
  if (parents.length !== 1 || parents[0] !== base.commit) {
    throw new SandboxRefusal(
      'BUNDLE-CORRUPT',
      `the change has to be one commit on ${base.commit}, but builds on ${parents.join(' and ') || 'nothing'}`,
    );
  }
  await requireSameCarried({ repository: base.repository, base: base.tree, tree, signal: context.signal });
  return { repository: base.repository, commit, tree };
}
