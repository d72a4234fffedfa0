import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Digest, digestOfValue } from '../../domain/digest.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { ArchiveMalformed, readArchive, writeArchive } from '../packages/archive.ts';
import { packageLimits } from '../packages/limits.ts';

const wheel = z.strictObject({
  file: z
    .string()
    .max(300)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._!+-]*\.whl$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const text = z.string().max(500);

/** What was fetched for an application's environment: the file `environment.json` of the artifact. */
export const fetchedEnvironment = z.strictObject({
  schemaVersion: z.literal(1),
  index: z.string().nullable(),
  /** Of the Python that the wheels were chosen for. */
  python: z.string().max(100),
  wheels: z.array(wheel).max(2_000),
  /** When they were resolved, where no digests of the repository pin them. */
  resolvedAt: z.iso.datetime().optional(),
  /** What could not be had, each a sentence. */
  missing: z.array(text).max(200),
});
export type FetchedEnvironment = z.infer<typeof fetchedEnvironment>;

/** The digest of exactly these files: the same for base and change, and in their receipts. */
export const wheelsDigest = ({ wheels }: FetchedEnvironment): Digest =>
  digestOfValue(wheels.toSorted((a, b) => (a.file < b.file ? -1 : 1)));

const description = 'environment.json';

/** Writes the artifact: each wheel under its digest. */
export async function writeEnvironment(
  file: string,
  environment: FetchedEnvironment,
  read: (wheel: FetchedEnvironment['wheels'][number]) => Promise<Uint8Array>,
): Promise<void> {
  const archive = await writeArchive(file);
  try {
    for (const each of environment.wheels) await archive.add(`sha256/${each.sha256}`, await read(each));
    await archive.add(description, new TextEncoder().encode(JSON.stringify(fetchedEnvironment.parse(environment))));
  } finally {
    await archive.close();
  }
}

/**
 * Unpacks the job's `environment` input into a directory of wheels. The worker that packed it is not trusted: every wheel is hashed
 * again, and one that is described and not there is a fault.
 */
export async function readEnvironment(
  context: TaskContext,
): Promise<{ readonly environment: FetchedEnvironment; readonly directory: string }> {
  const file = await context.inputFile('environment');
  const directory = join(context.directory, 'wheels');
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const contents = new Map<string, Buffer>();
  let described: unknown;
  try {
    const limits = { fileBytes: packageLimits.tarballBytes, totalBytes: packageLimits.totalBytes };
    for await (const { name, bytes } of readArchive(file, limits)) {
      if (name === description) described = JSON.parse(bytes.toString('utf8'));
      else contents.set(name, bytes);
    }
    const environment = fetchedEnvironment.parse(described);
    for (const { file: name, sha256 } of environment.wheels) {
      const bytes = contents.get(`sha256/${sha256}`);
      if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== sha256)
        throw new ArchiveMalformed(`${name} is not what its description says`);
      await writeFile(join(directory, name), bytes, { mode: 0o644 });
    }
    return { environment, directory };
  } catch (error) {
    if (!(error instanceof ArchiveMalformed || error instanceof z.ZodError || error instanceof SyntaxError))
      throw error;
    throw new TaskFailure({
      kind: 'terminal',
      code: 'PACKAGES-MALFORMED',
      message: `The environment input can't be opened: ${error.message}`.slice(0, 2_000),
    });
  }
}
