import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Digest, digestOfValue } from '../../domain/digest.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { Bench } from '../runs/bench.ts';
import { checkOut } from '../runs/checkout.ts';
import { runProgram } from '../runs/run-program.ts';

const timeoutMs = 60_000;
const snapshotBytes = 4 * 1024 * 1024;

const snapshot = z.union([
  z.strictObject({ underivable: z.string() }),
  z.strictObject({
    entries: z.array(
      z.strictObject({ subpath: z.string(), names: z.array(z.string()).nullable(), types: z.string().nullable() }),
    ),
    commands: z.array(z.string()),
    /** Entry points that are named and are not there. */
    absent: z.array(z.string().max(4_096)).max(100),
    /** What `exports` offers and nobody could look at, in words. */
    unseen: z.array(z.string().max(8_192)).max(10_000),
  }),
]);

export type PublicApi = {
  readonly digest: Digest;
  /** What is offered and is not in the digest, in words; empty when all of it is. */
  readonly unseen: readonly string[];
};

/** Digest of a package's public interface: the names each entry point exports, its type declarations, its commands. */
export async function publicApi(
  bench: Bench,
  repository: string,
  tree: TreeId,
  stage: 'base' | 'changed',
): Promise<PublicApi | { readonly underivable: string }> {
  const { driver, context } = bench;
  const of = `public interface of the ${stage} tree`;
  const checkout = await checkOut(bench, repository, tree, of);
  const root = join(context.directory, 'interfaces');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(driver, join(await mkdtemp(join(root, 'run-')), 'report'));
  const name = `interface-${randomBytes(12).toString('hex')}`;
  const report = mountAt(driver, directory, places.report, 'read-write');
  const source = fileURLToPath(
    new URL(`./inside/list-exports${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  const script = mountAt(driver, source, `${places.tools}/${basename(source)}`, 'read-only');
  const result = await runProgram(bench, checkout, {
    of,
    argv: ['node', script.target, `${report.target}/${name}`],
    timeoutMs,
    mounts: [report, script],
    environment: { NODE_NO_WARNINGS: '1' },
  });
  await checkout.discard();
  const read = await readSnapshot(join(directory, name));
  if (read === undefined)
    return { underivable: `listing the exports ended with ${result.exitCode ?? result.endedBy} and no answer` };
  if ('underivable' in read) return { underivable: read.underivable.slice(0, 500) };
  const { absent, unseen, ...offered } = read;
  for (const path of absent)
    bench.findings.caveat(`the entry point ${path} is not there after prepare: nothing of it was compared`);
  return { digest: digestOfValue(offered), unseen };
}

/** What could not be looked at, within what a concern may say. */
export const unseenInWords = (unseen: readonly string[]): string =>
  [
    ...unseen.slice(0, 3).map((part) => part.slice(0, 130)),
    ...(unseen.length > 3 ? [`and ${unseen.length - 3} more`] : []),
  ].join('; ');

async function readSnapshot(path: string): Promise<z.infer<typeof snapshot> | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > snapshotBytes) return undefined;
    return snapshot.parse(JSON.parse(await file.readFile('utf8')));
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
