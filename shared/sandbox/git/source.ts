import { rm } from 'node:fs/promises';
import { defaultSourceLimits, type SourceLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { createRepository, exists, requireRef, requireUrl, resolveRef } from './repository.ts';
import { measureSource, objectBytes, type Source, tooLarge } from './source-limits.ts';
import { sourceRefusal } from './source-words.ts';
import { type GitAnswer, runGit } from './spawn.ts';
import { fetchTolerance } from './tolerated.ts';

/** A remote as the effector reaches it. */
export type Remote = {
  readonly url: string;
  readonly allowProtocol: readonly string[];
  /** Configuration for this remote alone: `http.extraHeader`, `http.proxy`, `http.sslCAInfo`. It reaches git by environment. */
  readonly configuration?: Readonly<Record<string, string>>;
};

/** The ref of a fetched or opened source in its bare repository. */
export const sourceRef = 'refs/heads/source';
const withinRef = 'refs/heads/within';

const watchMs = 100;

/**
 * Fetches one commit with its history into a new bare repository at `into`: fsck on the way in, no tags, submodules, hooks or
 * filters. `ref` is a full ref name, `HEAD`, or a commit id. When it throws, nothing is left at `into`. Codes: `SOURCE-…`, `GIT-…`.
 */
export async function fetchSource(request: {
  readonly remote: Remote;
  readonly ref: string;
  /** A branch, as a full ref name, that has to hold the commit. */
  readonly within?: string;
  readonly into: string;
  readonly limits?: SourceLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<Source> {
  const { remote, into, signal } = request;
  const limits = request.limits ?? defaultSourceLimits;
  const wanted =
    request.ref === 'HEAD' || /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(request.ref) ? request.ref : requireRef(request.ref);
  const within = request.within === undefined ? undefined : requireRef(request.within);
  const url = requireUrl(remote.url);
  if (await exists(into)) {
    throw new SandboxRefusal('WORKSPACE-EXISTS', 'a source is only fetched into a new repository', { path: into });
  }
  try {
    await createRepository(into, signal);
    const { stderr } = await receive(limits, into, signal, (bounded) =>
      runGit({
        repository: into,
        arguments: [
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-recurse-submodules',
          '--no-write-fetch-head',
          '--no-auto-maintenance',
          '--end-of-options',
          url,
          `+${wanted}:${sourceRef}`,
          ...(within === undefined ? [] : [`+${within}:${withinRef}`]),
        ],
        allowProtocol: remote.allowProtocol,
        // A pack as it comes: fsck'd by index-pack, never unpacked into a file per object.
        configuration: {
          ...remote.configuration,
          ...fetchTolerance,
          'fetch.fsckObjects': 'true',
          'fetch.unpackLimit': '1',
        },
        limits: { wallMs: limits.wallMs, outputBytes: 1024 * 1024 },
        signal: bounded,
      }),
    );
    // git ends with 0 and a warning here, and leaves the ref out (git: fetch-pack.c, update_shallow).
    if (/shallow roots are not allowed/.test(stderr))
      throw new SandboxRefusal(
        'SOURCE-SHALLOW',
        'the repository is a shallow clone, without the history below its tip; complete it with "git fetch --unshallow"',
      );
    const commit = await resolveRef(into, sourceRef, signal);
    if (within !== undefined) await requireWithin(into, commit, within, signal);
    return await measureSource(into, commit, limits, signal);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error instanceof SandboxRefusal ? sourceRefusal(error) : error;
  }
}

/** Runs a receiving git and ends it as soon as the objects on disk pass the limit. */
async function receive(
  limits: SourceLimits,
  into: string,
  signal: AbortSignal | undefined,
  fetch: (signal: AbortSignal) => Promise<GitAnswer>,
): Promise<GitAnswer> {
  const over = new AbortController();
  let looking = false;
  const watch = setInterval(() => {
    if (looking) return;
    looking = true;
    void objectBytes(into)
      .then((bytes) => bytes > limits.packBytes && over.abort())
      .finally(() => {
        looking = false;
      });
  }, watchMs);
  try {
    return await fetch(signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]));
  } catch (error) {
    throw over.signal.aborted ? tooLarge(limits) : error;
  } finally {
    clearInterval(watch);
  }
}

async function requireWithin(repository: string, commit: string, branch: string, signal?: AbortSignal): Promise<void> {
  const { exitCode } = await runGit({
    repository,
    arguments: ['merge-base', '--is-ancestor', commit, withinRef],
    answers: [1],
    signal,
  });
  await runGit({ repository, arguments: ['update-ref', '-d', withinRef], signal });
  if (exitCode === 0) return;
  const name = branch.replace('refs/heads/', '');
  throw new SandboxRefusal(
    'SOURCE-NOT-ON-BRANCH',
    `the commit is not part of ${name}, to which its pull request would go; name in scope.ref the branch that holds it, or ask for output.format patch`,
  );
}
