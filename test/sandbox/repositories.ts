import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type CommitId, parseCommitId, parseTreeId, type TreeId } from '../../shared/sandbox/git/object-id.ts';
import { createRepository } from '../../shared/sandbox/git/repository.ts';

// What tests plant for a sandbox to read is meant to be readable.
process.umask(0o022);

/** A directory that goes with the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'factory-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** git as a person would use it, to build what the product is then pointed at. */
export function git(repository: string, args: readonly string[], input: string | Buffer = ''): string {
  return execFileSync('git', ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false', ...args], {
    cwd: repository,
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@localhost',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@localhost',
      GIT_AUTHOR_DATE: '1700000000 +0000',
      GIT_COMMITTER_DATE: '1700000000 +0000',
    },
  })
    .toString()
    .trim();
}

export async function emptyRepository(): Promise<string> {
  const repository = join(scratch(), 'repository.git');
  await createRepository(repository);
  return repository;
}

export type Entry = { readonly mode?: string; readonly content: string | Buffer };

/** Writes a tree straight into the object database: names and modes that no checkout would make are fine. */
export function writeTree(repository: string, files: Readonly<Record<string, Entry | string | Buffer>>): TreeId {
  const nested = new Map<string, Record<string, Entry | string | Buffer>>();
  const lines: string[] = [];
  for (const [path, file] of Object.entries(files)) {
    const slash = path.indexOf('/');
    if (slash >= 0) {
      const directory = nested.get(path.slice(0, slash)) ?? {};
      directory[path.slice(slash + 1)] = file;
      nested.set(path.slice(0, slash), directory);
      continue;
    }
    const { mode = '100644', content } = typeof file === 'string' || Buffer.isBuffer(file) ? { content: file } : file;
    const id = mode === '160000' ? String(content) : git(repository, ['hash-object', '-w', '--stdin'], content);
    lines.push(`${mode} ${mode === '160000' ? 'commit' : 'blob'} ${id}\t${path}`);
  }
  for (const [name, directory] of nested) lines.push(`040000 tree ${writeTree(repository, directory)}\t${name}`);
  return parseTreeId(git(repository, ['mktree', '-z', '--missing'], lines.map((line) => `${line}\0`).join('')));
}

export function writeCommit(repository: string, tree: TreeId, parent?: CommitId): CommitId {
  return parseCommitId(
    git(repository, ['commit-tree', '-m', 'change', ...(parent === undefined ? [] : ['-p', parent]), tree]),
  );
}

/** A bare repository with one commit on refs/heads/main. */
export async function publishedRepository(
  files: Readonly<Record<string, Entry | string | Buffer>>,
): Promise<{ repository: string; tree: TreeId; commit: CommitId }> {
  const repository = await emptyRepository();
  const tree = writeTree(repository, files);
  const commit = writeCommit(repository, tree);
  git(repository, ['update-ref', 'refs/heads/main', commit]);
  return { repository, tree, commit };
}

export function writeFiles(directory: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** The refusal's code, or what came instead. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no refusal';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `${String(error)}`;
  }
}
