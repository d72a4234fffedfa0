import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { ArchiveMalformed, readArchive } from './archive.ts';
import { packageLimits } from './limits.ts';
import { cacheNames, contentDigest } from './package-cache.ts';
import type { Target } from './resolve-target.ts';

export type OpenedPackages = {
  /** Holds `content-v2`, in npm's own layout (cacache), so that it can be mounted as it is. */
  readonly directory: string;
  /** Manifest and lockfile of a dependency update, where one was computed. */
  readonly target: Target | null;
};

/**
 * Unpacks the job's `packages` input. The worker that packed it is not trusted: only names of the known forms are written, and
 * every content is hashed again.
 */
export async function openPackages(context: TaskContext): Promise<OpenedPackages> {
  const file = await context.inputFile('packages');
  const directory = join(context.directory, 'packages');
  await mkdir(join(directory, 'content-v2'), { recursive: true, mode: 0o755 });
  const texts = new Map<string, string>();
  try {
    for await (const { name, bytes } of readArchive(file, {
      fileBytes: packageLimits.tarballBytes,
      totalBytes: 2 * packageLimits.totalBytes,
    })) {
      const sha512 = contentDigest(name);
      if (sha512 !== undefined) await writeContent(directory, sha512, bytes);
      else if (name === cacheNames.description || name === cacheNames.manifest || name === cacheNames.lockfile)
        texts.set(name, bytes.toString('utf8'));
      else throw new ArchiveMalformed(`${name} has no place in a package cache`);
    }
  } catch (error) {
    if (!(error instanceof ArchiveMalformed)) throw error;
    throw new TaskFailure({
      kind: 'terminal',
      code: 'PACKAGES-MALFORMED',
      message: `The packages input can't be opened: ${error.message}`,
    });
  }
  const manifest = texts.get(cacheNames.manifest);
  const lockfile = texts.get(cacheNames.lockfile);
  return { directory, target: manifest === undefined || lockfile === undefined ? null : { manifest, lockfile } };
}

async function writeContent(directory: string, sha512: string, bytes: Buffer): Promise<void> {
  if (createHash('sha512').update(bytes).digest('hex') !== sha512)
    throw new ArchiveMalformed('a content is not what its name says');
  const path = join(directory, 'content-v2', 'sha512', sha512.slice(0, 2), sha512.slice(2, 4), sha512.slice(4));
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, bytes, { mode: 0o644 });
}
