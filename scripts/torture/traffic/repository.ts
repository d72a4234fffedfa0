import { execFileSync } from 'node:child_process';
import path from 'node:path';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Example Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'Example Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
  GIT_COMMITTER_DATE: '1700000000 +0000',
};

/** What git prints, run on a bare repository. */
export function git(repository: string, args: readonly string[], input = ''): string {
  return execFileSync('git', ['-C', repository, ...args], {
    env: { PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent', ...IDENTITY },
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  }).trim();
}

/**
 * A small bare repository, the remote of every request. It logs each change of each branch, so that a branch that was pushed twice
 * is told from one that was pushed once. `compiled`: JSON documents by their names in `infra/`.
 */
export function makeRemote(directory: string, compiled?: Readonly<Record<string, unknown>>): string {
  const bare = path.join(directory, 'remote.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { stdio: 'ignore' });
  git(bare, ['config', 'core.logAllRefUpdates', 'always']);
  const blob = git(bare, ['hash-object', '-w', '--stdin'], 'Small things, one a file.\n');
  const source = git(bare, ['mktree'], `100644 blob ${blob}\tindex.txt\n`);
  const infra = compiled === undefined ? '' : `040000 tree ${compiledTree(bare, compiled)}\tinfra\n`;
  const tree = git(bare, ['mktree'], `100644 blob ${blob}\tREADME.md\n${infra}040000 tree ${source}\tsrc\n`);
  git(bare, ['update-ref', 'refs/heads/main', git(bare, ['commit-tree', tree, '-m', 'Begin'])]);
  return bare;
}

function compiledTree(bare: string, compiled: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(compiled).map(
    ([name, value]) => `100644 blob ${git(bare, ['hash-object', '-w', '--stdin'], JSON.stringify(value))}\t${name}\n`,
  );
  return git(bare, ['mktree'], entries.join(''));
}
