import { join } from 'node:path';
import { bundleRepository } from '../../shared/sandbox/git/bundle.ts';
import { diffTrees } from '../../shared/sandbox/git/diff.ts';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { treeOf } from '../../shared/sandbox/git/repository.ts';
import type { Jobs } from './job.ts';
import { commitFiles, type FileContent } from './repository.ts';

/** A change as a station could hand it over, and its patch; made without the station, so that it can be anything. */
export type MadeChange = { readonly outputs: { readonly change: string }; readonly patch: string };

let changes = 0;

export async function makeChange(
  jobs: Jobs,
  repository: string,
  base: CommitId,
  files: Readonly<Record<string, FileContent | null>>,
): Promise<MadeChange> {
  changes += 1;
  const commit = await commitFiles(repository, files, base);
  const file = join(jobs.directory, `change-${changes}.bundle`);
  await bundleRepository({ repository, commit, base, file });
  return { outputs: { change: file }, patch: await patchOf(repository, base, commit) };
}

export async function patchOf(repository: string, from: CommitId, to: CommitId): Promise<string> {
  const { patch } = await diffTrees({
    repository,
    from: await treeOf(repository, from),
    to: await treeOf(repository, to),
  });
  return new TextDecoder().decode(patch);
}
