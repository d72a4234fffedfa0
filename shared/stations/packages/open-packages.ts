import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import type { Concern } from '../../domain/risk/concern.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { ArchiveMalformed, readArchive } from './archive.ts';
import { packageLimits } from './limits.ts';
import type { Integrity } from './locked.ts';
import {
  cacheNames,
  contentDigest,
  contentPlace,
  type MissingPackage,
  type PackageCache,
  type PackageFiles,
  packageCache,
  packageFiles,
  servedIndex,
} from './package-cache.ts';

export type OpenedPackages = {
  /** Holds `content-v2`, in npm's own layout (cacache), so that it can be mounted as it is, and lockfiles to install from. */
  readonly directory: string;
  readonly description: PackageCache;
  /** Manifests and lockfile of a dependency update, where one was computed. */
  readonly target: PackageFiles | null;
  /** The lockfile resolved for a base that has none. */
  readonly base: PackageFiles | null;
};

const texts: readonly string[] = [
  cacheNames.description,
  cacheNames.base,
  cacheNames.target,
  cacheNames.index,
  ...Object.keys(cacheNames.earlierTarget),
];

/**
 * Unpacks the job's `packages` input. The worker that packed it is not trusted: only names of the known forms are written, and
 * every content is hashed again.
 */
export async function openPackages(context: TaskContext): Promise<OpenedPackages> {
  const file = await context.inputFile('packages');
  const directory = join(context.directory, 'packages');
  await mkdir(join(directory, 'content-v2'), { recursive: true, mode: 0o755 });
  const found = new Map<string, string>();
  try {
    for await (const { name, bytes } of readArchive(file, {
      fileBytes: packageLimits.tarballBytes,
      totalBytes: 2 * packageLimits.totalBytes,
    })) {
      const digest = contentDigest(name);
      if (digest !== undefined) await writeContent(directory, digest, bytes);
      else if (texts.includes(name)) found.set(name, bytes.toString('utf8'));
      else throw new ArchiveMalformed(`${name} has no place in a package cache`);
    }
    const parsed = {
      description: read(packageCache, cacheNames.description, found),
      target: read(packageFiles, cacheNames.target, found) ?? earlierTarget(found),
      base: read(packageFiles, cacheNames.base, found),
      index: read(servedIndex, cacheNames.index, found),
    };
    if (parsed.description === null) throw new ArchiveMalformed('it has no description');
    // What the install inside the sandbox reads where a checkout has no lockfile of its own.
    for (const [name, files] of Object.entries({ target: parsed.target, base: parsed.base }))
      if (files !== null) await writeFile(join(directory, `${name}.json`), JSON.stringify(files), { mode: 0o644 });
    if (parsed.index !== null)
      await writeFile(join(directory, cacheNames.index), JSON.stringify(parsed.index), { mode: 0o644 });
    return { directory, ...parsed, description: parsed.description };
  } catch (error) {
    if (!(error instanceof ArchiveMalformed)) throw error;
    throw new TaskFailure({
      kind: 'terminal',
      code: 'PACKAGES-MALFORMED',
      message: `The packages input can't be opened: ${error.message}`,
    });
  }
}

function read<T extends z.ZodType>(schema: T, name: string, found: ReadonlyMap<string, string>): z.infer<T> | null {
  const stated = found.get(name);
  if (stated === undefined) return null;
  try {
    return schema.parse(JSON.parse(stated));
  } catch {
    throw new ArchiveMalformed(`${name} in it is not of its form`);
  }
}

function earlierTarget(found: ReadonlyMap<string, string>): PackageFiles | null {
  const files = Object.fromEntries(
    Object.entries(cacheNames.earlierTarget).flatMap(([name, file]) => {
      const stated = found.get(name);
      return stated === undefined ? [] : [[file, stated] as const];
    }),
  );
  const text = files['package-lock.json'];
  return text === undefined ? null : { files, lockfile: { file: 'package-lock.json', text } };
}

async function writeContent(directory: string, digest: Integrity, bytes: Buffer): Promise<void> {
  const { algorithm, hex } = digest;
  if (createHash(algorithm).update(bytes).digest('hex') !== hex)
    throw new ArchiveMalformed('a content is not what its name says');
  const path = join(directory, 'content-v2', contentPlace(digest));
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, bytes, { mode: 0o644 });
}

const packagesNamed = 5;

/** What is missing for people: a package of a version, or a file that nothing could be read from. */
export const packageLabel = (name: string, version: string): string => (version === '' ? name : `${name}@${version}`);

/** Packages that could not be had, a few by name and the rest by number. */
export function missingInWords(missing: readonly MissingPackage[], count: number): string {
  const named = missing
    .slice(0, packagesNamed)
    .map(({ name, version, why }) => `${packageLabel(name, version)} (${why.replace(/\.$/, '')})`);
  return `${named.join('; ')}${count > named.length ? ` and ${count - named.length} more` : ''}`;
}

/** What of the packages raises the risk of any change that was judged with them. */
export function packageConcerns({ missing = [], missingCount = 0, change, resolvedAt, base }: PackageCache): Concern[] {
  const count = missingCount + (change?.missingCount ?? 0);
  return [
    ...(count > 0
      ? [
          {
            kind: 'packages_missing' as const,
            detail: missingInWords([...missing, ...(change?.missing ?? [])], count).slice(0, 500),
          },
        ]
      : []),
    ...(resolvedAt === undefined
      ? []
      : [
          {
            kind: 'unlocked_packages' as const,
            detail: `at ${resolvedAt}, the same for base and change (lockfile ${base})`,
          },
        ]),
  ];
}
