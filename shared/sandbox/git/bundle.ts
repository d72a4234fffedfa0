import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { defaultSourceLimits, type SourceLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { type CommitId, parseCommitId } from './object-id.ts';
import { createRepository, exists } from './repository.ts';
import { sourceRef } from './source.ts';
import { measureSource, type Source } from './source-limits.ts';
import { endGit, exitOf, keepText, runGit, startGit } from './spawn.ts';
import { strictTolerance } from './tolerated.ts';

/**
 * Writes a commit as a git bundle (gitformat-bundle(5), version 2) to a new file. With `base`, a thin one that holds only what
 * the base lacks; without, the whole history.
 */
export async function bundleRepository(request: {
  readonly repository: string;
  readonly commit: CommitId;
  readonly file: string;
  readonly base?: CommitId;
  readonly limits?: SourceLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ readonly bytes: number }> {
  const { repository, commit, file, signal } = request;
  const limits = request.limits ?? defaultSourceLimits;
  const ref = 'refs/bundle/source';
  await runGit({ repository, arguments: ['update-ref', ref, commit], signal });
  await runGit({
    repository,
    arguments: [
      'bundle',
      'create',
      '--quiet',
      '--version=2',
      file,
      ref,
      ...(request.base === undefined ? [] : [`^${request.base}`]),
    ],
    limits: { wallMs: limits.wallMs, outputBytes: 1024 * 1024 },
    signal,
  });
  return { bytes: (await stat(file)).size };
}

/**
 * Opens a bundle with exactly one ref into the bare repository `into`, which is made when absent; a thin bundle needs one that
 * holds its base. The pack goes through `index-pack --strict` here: `git fetch` from a bundle did not fsck before git 2.46.
 * Throws `BUNDLE-CORRUPT`, `BUNDLE-MISSING-BASE` and the limits' `SOURCE-…` codes; a repository it made is removed then.
 */
export async function openBundle(request: {
  readonly file: string;
  readonly into: string;
  readonly limits?: SourceLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<Source> {
  const { file, into, signal } = request;
  const limits = request.limits ?? defaultSourceLimits;
  const header = await readHeader(file);
  const made = !(await exists(into));
  try {
    if (made) await createRepository(into, signal);
    await requireBases(into, header.bases, signal);
    await indexPack(file, header.packAt, into, limits, signal);
    await runGit({ repository: into, arguments: ['update-ref', sourceRef, header.commit], signal });
    return await measureSource(into, header.commit, limits, signal);
  } catch (error) {
    if (made) await rm(into, { recursive: true, force: true });
    throw error;
  }
}

const headerBytes = 64 * 1024;

async function readHeader(file: string): Promise<{ bases: readonly CommitId[]; commit: CommitId; packAt: number }> {
  const handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle
    .read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    .finally(() => handle.close());
  const end = buffer.subarray(0, bytesRead).indexOf('\n\n');
  const [signature, ...lines] = buffer.subarray(0, Math.max(end, 0)).toString('latin1').split('\n');
  if (end < 0 || signature !== '# v2 git bundle') throw corrupt('it has no version 2 header');
  const bases = lines
    .filter((line) => line.startsWith('-'))
    .map((line) => parseCommitId(line.slice(1).split(' ')[0] ?? ''));
  const heads = lines.filter((line) => !line.startsWith('-'));
  if (heads.length !== 1) throw corrupt(`it has ${heads.length} refs where one is expected`);
  return { bases, commit: parseCommitId(heads[0]?.split(' ')[0] ?? ''), packAt: end + 2 };
}

async function requireBases(
  repository: string,
  bases: readonly CommitId[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const base of bases) {
    const { exitCode } = await runGit({
      repository,
      arguments: ['cat-file', '-e', `${base}^{commit}`],
      answers: [1, 128],
      signal,
    });
    if (exitCode !== 0)
      throw new SandboxRefusal(
        'BUNDLE-MISSING-BASE',
        `the bundle builds on ${base}, which the repository lacks: open the base bundle first`,
      );
  }
}

async function indexPack(
  file: string,
  from: number,
  repository: string,
  limits: SourceLimits,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { size } = await stat(file);
  if (size - from > limits.packBytes) {
    throw new SandboxRefusal('SOURCE-TOO-LARGE', `the bundle's pack has ${size - from} bytes`, {
      limit: limits.packBytes,
    });
  }
  const child = startGit({
    repository,
    arguments: ['index-pack', '--stdin', '--fix-thin', strictTolerance, `--max-input-size=${limits.packBytes}`],
    signal,
  });
  const timer = setTimeout(() => endGit(child), limits.wallMs);
  const stderr = keepText(child.stderr);
  child.stdout.resume();
  const [exitCode] = await Promise.all([
    exitOf(child),
    // index-pack that stops early breaks the pipe; its exit code tells.
    pipeline(createReadStream(file, { start: from }), child.stdin).catch(() => undefined),
  ]).finally(() => clearTimeout(timer));
  if (signal?.aborted === true) throw new SandboxRefusal('GIT-CANCELLED', 'opening a bundle was cancelled');
  if (exitCode === -1)
    throw new SandboxRefusal('GIT-TIMED-OUT', `git index-pack took longer than ${limits.wallMs} ms`, {
      limit: limits.wallMs,
    });
  if (exitCode !== 0) throw corrupt(stderr().trim().slice(0, 500));
}

function corrupt(what: string): SandboxRefusal {
  return new SandboxRefusal('BUNDLE-CORRUPT', `the bundle can't be opened: ${what}`);
}
