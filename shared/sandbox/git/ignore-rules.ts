import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readBlobs } from './blobs.ts';
import { createRepository } from './repository.ts';
import { endGit, exitOf, gitFailure, keepText, startGit } from './spawn.ts';

export type IgnoreRules = {
  /** Says of each path whether the base ignores it. Parents have to be asked before what is in them. */
  ignored(paths: readonly { readonly path: string; readonly directory: boolean }[]): Promise<boolean[]>;
  close(): Promise<void>;
};

/**
 * The ignore rules of a base tree (gitignore(5)), evaluated by git over a scratch directory that holds the base's `.gitignore` files
 * and empty directories, and nothing of the workspace: a change can't hide its own files by writing a `.gitignore`.
 */
export async function openIgnoreRules(
  repository: string,
  entries: readonly { readonly mode: string; readonly path: string; readonly blob: string }[],
  signal?: AbortSignal,
): Promise<IgnoreRules> {
  const scratch = await mkdtemp(join(tmpdir(), 'factory-ignore-'));
  const tree = join(scratch, 'tree');
  await mkdir(tree);
  await createRepository(join(scratch, 'repository'), signal);
  // Since git 2.32 a .gitignore that is a link is not followed; neither here.
  const files = entries.filter(
    ({ path, mode }) => mode.startsWith('100') && (path === '.gitignore' || path.endsWith('/.gitignore')),
  );
  let index = 0;
  for await (const content of readBlobs(
    repository,
    files.map(({ blob }) => blob),
    signal,
  )) {
    const path = files[index++]?.path ?? '';
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }

  const child = startGit({
    repository: join(scratch, 'repository'),
    arguments: ['check-ignore', '--no-index', '--stdin', '-z', '--verbose', '--non-matching'],
    variables: { GIT_WORK_TREE: tree },
    signal,
  });
  const stderr = keepText(child.stderr);
  const closed = exitOf(child);
  closed.catch(() => undefined);
  const answers = fieldReader(child.stdout);
  return {
    async ignored(paths) {
      for (const { path, directory } of paths) if (directory) await mkdir(join(tree, path), { recursive: true });
      // A leading colon would be pathspec magic, and check-ignore knows no GIT_LITERAL_PATHSPECS.
      for (const { path } of paths) child.stdin.write(`./${path}\0`);
      const verdicts: boolean[] = [];
      for (const { path } of paths) {
        // source, line, pattern, path; source is empty when no rule matched, and a matching rule may be a negation.
        const [source, , pattern, answered] = [await answers(), await answers(), await answers(), await answers()];
        if (answered !== `./${path}`) throw gitFailure('check-ignore', -1, `it answered for another path. ${stderr()}`);
        verdicts.push(source !== '' && !(pattern ?? '').startsWith('!'));
      }
      return verdicts;
    },
    async close() {
      endGit(child);
      await closed.catch(() => undefined);
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function fieldReader(stream: AsyncIterable<Buffer>): () => Promise<string | undefined> {
  const fields: string[] = [];
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  const source = stream[Symbol.asyncIterator]();
  return async () => {
    while (at === fields.length) {
      const { done, value } = await source.next();
      if (done === true) return undefined;
      const text = Buffer.concat([rest, value]);
      const end = text.lastIndexOf(0);
      rest = Buffer.from(text.subarray(end + 1));
      fields.length = 0;
      at = 0;
      if (end >= 0) fields.push(...text.subarray(0, end).toString('utf8').split('\0'));
    }
    return fields[at++];
  };
}
