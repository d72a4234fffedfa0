import { join } from 'node:path';
import type { TaskContext } from '../../jobs/task.ts';
import { openBundle } from '../../sandbox/git/bundle.ts';
import type { CommitId, TreeId } from '../../sandbox/git/object-id.ts';

/** A commit inside a bare repository of this job. */
export type Snapshot = { readonly repository: string; readonly commit: CommitId; readonly tree: TreeId };

/** Opens the job's `source` bundle into a fresh bare repository under the job's directory. */
export async function openBase(context: TaskContext): Promise<Snapshot> {
  const repository = join(context.directory, 'base.git');
  const file = await context.inputFile('source');
  const { commit, tree } = await openBundle({ file, into: repository, signal: context.signal });
  return { repository, commit, tree };
}
