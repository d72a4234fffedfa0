import { rm } from 'node:fs/promises';
import { defaultSourceLimits, type SourceLimits } from '../limits.ts';
import { type RefusalCode, SandboxRefusal } from '../refusal.ts';
import { createRepository, exists, requireRef, requireUrl, resolveRef } from './repository.ts';
import { measureSource, objectBytes, type Source, tooLarge } from './source-limits.ts';
import { type GitAnswer, runGit } from './spawn.ts';

/** A remote as the effector reaches it. */
export type Remote = {
  readonly url: string;
  readonly allowProtocol: readonly string[];
  /** Configuration for this remote alone: `http.extraHeader`, `http.proxy`, `http.sslCAInfo`. It reaches git by environment. */
  readonly configuration?: Readonly<Record<string, string>>;
};

/** The ref of a fetched or opened source in its bare repository. */
export const sourceRef = 'refs/heads/source';

const watchMs = 100;

/**
 * Fetches one commit with its history into a new bare repository at `into`: fsck on the way in, no tags, submodules, hooks or
 * filters. `ref` is a full ref name, `HEAD`, or a commit id. When it throws, nothing is left at `into`. Codes: `SOURCE-NOT-FOUND`,
 * `SOURCE-PROTOCOL-REFUSED`, `SOURCE-CORRUPT`, `SOURCE-SHALLOW`, `SOURCE-TOO-LARGE`, `SOURCE-BLOB-TOO-LARGE`, `SOURCE-TOO-MANY-ENTRIES`,
 * `GIT-…`.
 */
export async function fetchSource(request: {
  readonly remote: Remote;
  readonly ref: string;
  readonly into: string;
  readonly limits?: SourceLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<Source> {
  const { remote, into, signal } = request;
  const limits = request.limits ?? defaultSourceLimits;
  const wanted =
    request.ref === 'HEAD' || /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(request.ref) ? request.ref : requireRef(request.ref);
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
        ],
        allowProtocol: remote.allowProtocol,
        // A pack as it comes: fsck'd by index-pack, never unpacked into a file per object.
        configuration: { ...remote.configuration, 'fetch.fsckObjects': 'true', 'fetch.unpackLimit': '1' },
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
    return await measureSource(into, await resolveRef(into, sourceRef, signal), limits, signal);
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

// git has no codes for these, only words (LC_ALL=C keeps them English).
const words: readonly (readonly [RegExp, RefusalCode])[] = [
  [/transport '[^']*' not allowed/, 'SOURCE-PROTOCOL-REFUSED'],
  [
    /couldn't find remote ref|not our ref|does not appear to be a git repository|Repository not found|does not exist/i,
    'SOURCE-NOT-FOUND',
  ],
  [
    /fsck error|error in object|index-pack failed|unpack-objects failed|invalid index-pack output|did not send all necessary objects|bad object|is corrupt|inflate/i,
    'SOURCE-CORRUPT',
  ],
];

function sourceRefusal(refusal: SandboxRefusal): SandboxRefusal {
  if (refusal.code !== 'GIT-FAILED') return refusal;
  const code = words.find(([pattern]) => pattern.test(refusal.message))?.[1];
  return code === undefined
    ? refusal
    : new SandboxRefusal(code, refusal.message.replace(/^GIT-FAILED: /, ''), { cause: refusal });
}
