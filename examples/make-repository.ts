import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type CommitId, parseCommitId, parseTreeId } from '../shared/sandbox/git/object-id.ts';
import { createRepository } from '../shared/sandbox/git/repository.ts';
import { runGit } from '../shared/sandbox/git/spawn.ts';

/** One commit of an example: which files it writes, and how far a file was from what it is at the end. */
const history = z.array(
  z.strictObject({
    message: z.string(),
    at: z.iso.datetime(),
    files: z.array(z.string()).min(1),
    executable: z.array(z.string()).default([]),
    /** File → replacements that turn its last text into that of this commit. */
    earlier: z.record(z.string(), z.array(z.tuple([z.string(), z.string()]))),
  }),
);

const author = 'Example Author';
const email = 'author@example.com';

export type ExampleRepository = {
  readonly path: string;
  readonly branch: 'main';
  readonly commits: readonly CommitId[];
};

/**
 * Makes an example's bare repository below a directory. Dates and author are fixed, so each commit has the same id on every
 * machine.
 */
export async function makeExampleRepository(directory: string, example = 'parcel-rates'): Promise<ExampleRepository> {
  const source = fileURLToPath(new URL(`./${example}/`, import.meta.url));
  const commits = history.parse(JSON.parse(await readFile(join(source, 'history.json'), 'utf8')));
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${example}.git`);
  await createRepository(path);
  const variables = { GIT_INDEX_FILE: join(path, 'example-index') };
  const made: CommitId[] = [];
  for (const { message, at, files, executable, earlier } of commits) {
    for (const file of files) {
      const text = (earlier[file] ?? []).reduce(
        replaceOnce,
        await readFile(join(source, 'repository', heldAs(file)), 'utf8'),
      );
      const blob = await git(path, ['hash-object', '-w', '--stdin'], { stdin: text });
      const mode = executable.includes(file) ? '100755' : '100644';
      await git(path, ['update-index', '--add', '--cacheinfo', `${mode},${blob},${file}`], { variables });
    }
    const tree = parseTreeId(await git(path, ['write-tree'], { variables }));
    const date = `${Date.parse(at) / 1000} +0000`;
    const parent = made.at(-1);
    const commit = await git(
      path,
      ['commit-tree', tree, '-m', message, ...(parent === undefined ? [] : ['-p', parent])],
      {
        variables: {
          GIT_AUTHOR_NAME: author,
          GIT_AUTHOR_EMAIL: email,
          GIT_AUTHOR_DATE: date,
          GIT_COMMITTER_NAME: author,
          GIT_COMMITTER_EMAIL: email,
          GIT_COMMITTER_DATE: date,
        },
      },
    );
    made.push(parseCommitId(commit));
  }
  await git(path, ['update-ref', 'refs/heads/main', made.at(-1) ?? '']);
  await git(path, ['symbolic-ref', 'HEAD', 'refs/heads/main']);
  return { path, branch: 'main', commits: made };
}

/** npm packs no `.gitignore` and reads one as its own, so the examples hold theirs without the dot. */
const heldAs = (file: string): string => (file === '.gitignore' ? 'gitignore' : file);

function replaceOnce(text: string, [find, replacement]: readonly [string, string]): string {
  if (!text.includes(find))
    throw new Error(`history.json: ${JSON.stringify(find)} is not in the file it should replace`);
  return text.replace(find, () => replacement);
}

async function git(
  repository: string,
  args: readonly string[],
  more: { stdin?: string; variables?: Record<string, string> } = {},
): Promise<string> {
  const { stdout } = await runGit({ repository, arguments: args, ...more });
  return stdout.toString('utf8').trim();
}
