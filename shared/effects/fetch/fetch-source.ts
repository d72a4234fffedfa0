import { join } from 'node:path';
import { needsPackages } from '../../domain/application/needs-packages.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../../jobs/task.ts';
import { bundleRepository } from '../../sandbox/git/bundle.ts';
import { fetchSource as fetchCommit } from '../../sandbox/git/source.ts';
import type { Source } from '../../sandbox/git/source-limits.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import { treeDigest } from '../../sandbox/git/tree-survey.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import { CodeHostUnreachable } from '../code-hosts/code-host.ts';
import { openCodeHost, type Repository, repositoryOf } from '../code-hosts/repository.ts';
import { sourceFailure } from './source-failure.ts';

const { source: SOURCE } = LIMITS;
const LIMITS_OF_SOURCE = {
  wallMs: SOURCE.fetchMs,
  packBytes: SOURCE.packBytes,
  blobBytes: SOURCE.blobBytes,
  entries: SOURCE.entries,
};
/** A repository of JavaScript packages, with or without a lockfile. */
const MANIFEST = 'package.json';

/**
 * Task `fetch-source` (pool fetch): the packet's commit or the tip of its branch, with its history, as a self-contained git bundle. It is the only
 * way sources reach stations and verifiers. Verdict `packages_wanted` when there are packages to fetch: of a package.json at
 * the root where something installs them, or of the application's environment; else `fetched`.
 */
export async function fetchSource(context: TaskContext): Promise<TaskResult> {
  const repository = await repositoryOf(context);
  try {
    return await fetchTip(context, repository);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof SandboxRefusal || error instanceof CodeHostUnreachable)
      throw new TaskFailure(sourceFailure(error, repository.name, revisionOf(repository)));
    throw error;
  }
}

async function fetchTip(context: TaskContext, repository: Repository): Promise<TaskResult> {
  const { signal, directory } = context;
  const host = await openCodeHost(repository);
  const into = join(directory, 'source.git');
  const source = await fetchCommit({
    remote: host.remote,
    ...wanted(repository),
    into,
    limits: LIMITS_OF_SOURCE,
    signal,
  });
  const file = join(directory, 'source.bundle');
  await bundleRepository({ repository: into, commit: source.commit, file, signal });
  await context.output({ name: 'source', kind: 'source_bundle', mediaType: 'application/x-git-bundle', file });
  return { outcome: await describe(into, source, repository, signal) };
}

const revisionOf = ({ commit, branch }: Repository): string =>
  commit === null ? `branch ${branch}` : `commit ${commit}`;

/** A pull request of a change on a commit goes to the default branch, so that has to hold it. */
function wanted({ packet, commit, branch }: Repository): { ref: string; within?: string } {
  const ofBranch = `refs/heads/${branch}`;
  if (commit === null) return { ref: ofBranch };
  return packet.output.format === 'pull_request' ? { ref: commit, within: ofBranch } : { ref: commit };
}

async function describe(into: string, source: Source, repository: Repository, signal: AbortSignal) {
  const entries = await listTree({ repository: into, tree: source.tree, signal });
  const packages = entries.some((entry) => entry.path === MANIFEST);
  const { packet, declaration } = repository;
  const wanted = packages && needsPackages(packet, declaration);
  const baseTree = `sha256:${await treeDigest({ repository: into, tree: source.tree, signal })}`;
  return {
    verdict: wanted || declaration.environment?.setup !== undefined ? 'packages_wanted' : 'fetched',
    summary: `${repository.name} at ${revisionOf(repository)}: commit ${source.commit}, ${source.entries} files, ${source.bytes} bytes of objects.`,
    facts: {
      paths: [],
      manifests: packages ? [MANIFEST] : [],
      testPaths: [],
      baseCommit: source.commit,
      gitTree: source.tree,
      baseTree,
      count: source.entries,
    },
    unknowns: [],
  };
}
