import { join } from 'node:path';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { openBundle } from '../../sandbox/git/bundle.ts';
import { requireSameCarried } from '../../sandbox/git/carried.ts';
import type { CommitId, TreeId } from '../../sandbox/git/object-id.ts';
import { treeDigest } from '../../sandbox/git/tree-survey.ts';
import { receiptSchema } from '../../verify/receipt.ts';

/** The change about to be delivered, its tree recomputed here from the bundle's own bytes and found to be the tested one. */
export type TestedChange = {
  /** Bare repository that holds base and change. */
  readonly repository: string;
  readonly baseCommit: CommitId;
  readonly baseTree: TreeId;
  readonly tree: TreeId;
  /** `sha256:…` of the tree's contents: what receipt, approval and effect are about. */
  readonly digest: string;
};

/**
 * Opens source and change beside each other. The station's commit is not trusted or used, only the tree it points at.
 *
 * @throws TaskFailure `TREE-NOT-TESTED` when the bytes are not those the verifier's receipt speaks of.
 */
export async function openTestedChange(context: TaskContext): Promise<TestedChange> {
  const { signal } = context;
  const repository = join(context.directory, 'change.git');
  const base = await openBundle({ file: await context.inputFile('source'), into: repository, signal });
  const change = await openBundle({ file: await context.inputFile('change'), into: repository, signal });
  await requireSameCarried({ repository, base: base.tree, tree: change.tree, signal });
  const digest = `sha256:${await treeDigest({ repository, tree: change.tree, signal })}`;
  const { claims } = receiptSchema.parse(JSON.parse(Buffer.from(await context.input('receipt')).toString('utf8')));
  const tested = claims.stage === 'validate' && claims.verdict === 'valid' ? claims.head?.tree : undefined;
  if (tested !== digest || claims.base.commit !== base.commit) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'TREE-NOT-TESTED',
      question: `The change on hand has the tree ${digest} on ${base.commit}; the receipt is about ${tested ?? 'no valid tree'} on ${claims.base.commit}. Nothing was delivered. Which of the two is right? Find out how they came apart, and retry the request.`,
    });
  }
  return { repository, baseCommit: base.commit, baseTree: base.tree, tree: change.tree, digest };
}
