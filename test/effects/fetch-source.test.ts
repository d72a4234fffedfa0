import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import { openBundle } from '../../shared/sandbox/git/bundle.ts';
import type { TestJob } from '../jobs/control-server.ts';
import { workerFor } from '../jobs/worker-fixture.ts';
import { commitFiles, type DeliveryFixture, deliveryFixture, git, noAzure } from './repository-fixture.ts';

let fixture: DeliveryFixture;
beforeEach(async () => {
  fixture = await deliveryFixture();
});
afterEach(() => fixture.close());

async function fetched(over: { packet?: object; location?: string; declaration?: object } = {}): Promise<TestJob> {
  const packet = JSON.stringify({ ...fixture.packet, ...over.packet });
  const declaration = JSON.stringify({
    ...fixture.declaration,
    ...over.declaration,
    repositories: [{ name: 'rates', codeHost: 'local', location: over.location ?? fixture.bare }],
  });
  const job = fixture.control.enqueue({
    pool: 'fetch',
    task: 'fetch-source',
    inputs: { packet: { kind: 'packet', bytes: packet }, declaration: { kind: 'declaration', bytes: declaration } },
  });
  const { worker, close } = await workerFor(fixture.control, effectorHandlers(noAzure));
  await worker.runHint(fixture.control.hint(job));
  await close();
  return job;
}

async function commitOf(job: TestJob): Promise<string> {
  const file = join(fixture.directory, 'fetched.bundle');
  await writeFile(file, fixture.control.artifacts.get(job.outputs.find((output) => output.name === 'source')!.digest)!);
  return (await openBundle({ file, into: join(fixture.directory, 'fetched.git') })).commit;
}

test('the tip of the default branch, self-contained, with what it is', async () => {
  const job = await fetched();
  expect(job.failure).toBeUndefined();
  expect(job.outcome).toMatchObject({
    verdict: 'fetched',
    facts: {
      baseCommit: fixture.base.commit,
      gitTree: fixture.base.tree,
      baseTree: fixture.receipt().claims.base.tree,
      count: 2,
    },
  });
  expect(await commitOf(job)).toBe(fixture.base.commit);
});

test('another branch where the packet names one, and npm by its manifest at the root where something installs packages', async () => {
  const next = commitFiles(fixture.bare, { 'package.json': '{}', 'package-lock.json': '{}' }, fixture.base.commit);
  git(fixture.bare, ['update-ref', 'refs/heads/release/1', next.commit]);
  const packet = { scope: { repository: 'rates', ref: 'release/1', allowedPaths: ['**'] } };
  const job = await fetched({ packet, declaration: { prepare: ['npm', 'ci'] } });
  const facts = { manifests: ['package.json'], baseCommit: next.commit };
  expect(job.outcome).toMatchObject({ verdict: 'packages_wanted', facts });
  expect(await commitOf(job)).toBe(next.commit);
  // Nothing would install them: no job of the packages pool.
  expect((await fetched({ packet })).outcome).toMatchObject({ verdict: 'fetched', facts });
});

test('a repository that is not there may come back', async () => {
  expect((await fetched({ location: join(fixture.directory, 'absent.git') })).failure).toMatchObject({
    kind: 'retryable',
    class: 'transient_infra',
    code: 'SOURCE-UNREACHABLE',
  });
});

test('a branch that is not there is for a person', async () => {
  const job = await fetched({ packet: { scope: { repository: 'rates', ref: 'absent', allowedPaths: ['**'] } } });
  expect(job.failure).toMatchObject({
    kind: 'needs_human',
    code: 'SOURCE-NOT-FOUND',
    question: expect.stringContaining('branch absent of repository rates'),
  });
});

test('a repository the application does not have is terminal', async () => {
  const job = await fetched({ packet: { scope: { repository: 'other', allowedPaths: ['**'] } } });
  expect(job.failure).toMatchObject({ kind: 'terminal', code: 'REPOSITORY-UNKNOWN' });
});

test('a location that is no local path is never asked', async () => {
  for (const location of ['ext::sh -c id', 'https://example.com/x.git', '--upload-pack=id']) {
    expect((await fetched({ location })).failure).toMatchObject({ code: 'SOURCE-UNREACHABLE' });
  }
});

test('a hostile tree is for a person', async () => {
  const tree = git(fixture.bare, ['mktree'], `040000 tree ${fixture.base.tree}\t.git\n`);
  const commit = git(fixture.bare, ['commit-tree', tree, '-m', 'hostile']);
  git(fixture.bare, ['update-ref', 'refs/heads/main', commit]);
  const job = await fetched();
  expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'SOURCE-CORRUPT' });
});

const packetOn = (ref: string, format = 'pull_request') => ({
  scope: { repository: 'rates', ref, allowedPaths: ['**'] },
  output: { format },
});

test('a commit is fetched by its id; a pull request of it needs a branch that holds it', async () => {
  const next = commitFiles(fixture.bare, { 'a.txt': 'x' }, fixture.base.commit);
  git(fixture.bare, ['update-ref', 'refs/heads/main', next.commit]);
  const older = await fetched({ packet: packetOn(fixture.base.commit) });
  expect(older.outcome).toMatchObject({ facts: { baseCommit: fixture.base.commit } });
  expect(older.outcome!.summary).toContain(`at commit ${fixture.base.commit}`);

  git(fixture.bare, ['update-ref', 'refs/heads/main', fixture.base.commit]);
  git(fixture.bare, ['update-ref', 'refs/heads/apart', next.commit]);
  const failure = { kind: 'needs_human', code: 'SOURCE-NOT-ON-BRANCH', question: expect.stringContaining('scope.ref') };
  expect((await fetched({ packet: packetOn(next.commit) })).failure).toMatchObject(failure);
  expect((await fetched({ packet: packetOn(next.commit, 'patch') })).outcome).toMatchObject({
    facts: { baseCommit: next.commit },
  });
  expect((await fetched({ packet: packetOn('1'.repeat(40), 'patch') })).failure).toMatchObject({
    kind: 'needs_human',
    code: 'SOURCE-NOT-FOUND',
  });
  const tree = await fetched({ packet: packetOn(fixture.base.tree, 'patch') });
  expect(tree.failure).toMatchObject({ kind: 'needs_human', code: 'SOURCE-NOT-FOUND' });
});

test('a branch of any name that git takes is fetched', async () => {
  for (const name of ['fix/#482-rounding', '100%', '修正', "o'neil$(id)"]) {
    git(fixture.bare, ['update-ref', `refs/heads/${name}`, fixture.base.commit]);
    expect((await fetched({ packet: packetOn(name) })).outcome).toMatchObject({ verdict: 'fetched' });
  }
});

test('a clone without all objects, of other hashes, or of another owner is for a person at once, with a way out', async () => {
  const partial = join(fixture.directory, 'partial.git');
  git(fixture.bare, ['config', 'uploadpack.allowFilter', 'true']);
  const next = commitFiles(fixture.bare, { 'a.txt': 'x' }, fixture.base.commit);
  git(fixture.bare, ['update-ref', 'refs/heads/main', next.commit]);
  git(fixture.directory, ['clone', '-q', '--bare', '--filter=blob:none', `file://${fixture.bare}`, partial]);
  const cut = await fetched({ location: partial });
  expect(cut.failure).toMatchObject({ kind: 'needs_human', code: 'SOURCE-PARTIAL' });
  git(partial, ['fetch', '-q', '--refetch', '--no-filter', 'origin', '+refs/heads/*:refs/heads/*']);
  expect((await fetched({ location: partial })).outcome).toMatchObject({ verdict: 'fetched' });

  const other = join(fixture.directory, 'sha256.git');
  git(fixture.directory, ['init', '-q', '--bare', '--object-format=sha256', '-b', 'main', other]);
  const commit = git(other, ['commit-tree', '-m', 'base', git(other, ['mktree'])]);
  git(other, ['update-ref', 'refs/heads/main', commit]);
  expect((await fetched({ location: other })).failure).toMatchObject({ kind: 'needs_human', code: 'SOURCE-SHA256' });

  const file = join(fixture.directory, 'a-file');
  await writeFile(file, '');
  expect((await fetched({ location: file })).failure).toMatchObject({
    kind: 'needs_human',
    code: 'SOURCE-UNREACHABLE',
  });
});

test.skipIf(process.getuid?.() !== 0)('git reads nothing of another owner, and the way out works here', async () => {
  chownSync(fixture.bare, 65_534, 65_534);
  const job = await fetched();
  expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'SOURCE-OTHER-OWNER' });
  expect(JSON.stringify(job.failure)).toMatch(/owner.*cp -r/);
  const copy = `${fixture.bare}-copy`;
  execFileSync('cp', ['-r', fixture.bare, copy]);
  expect((await fetched({ location: copy })).outcome).toMatchObject({ verdict: 'fetched' });
});

test('old headers and modes that the hosts take are taken; a name that passes for .git is not', async () => {
  const tree = git(fixture.bare, ['rev-parse', `${fixture.base.tree}`]);
  const odd = `tree ${tree}\nauthor A <a@b> 1700000000 +051800\ncommitter A <a@b>1700000000 +0000\n\nold\n`;
  const commit = git(fixture.bare, ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], odd);
  const padded = Buffer.concat([Buffer.from('040000 dir\0'), Buffer.from(tree, 'hex')]);
  const root = execFileSync('git', ['-C', fixture.bare, 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
    input: padded,
    encoding: 'utf8',
  }).trim();
  const tip = git(fixture.bare, ['commit-tree', root, '-p', commit, '-m', 'padded']);
  git(fixture.bare, ['update-ref', 'refs/heads/main', tip]);
  const job = await fetched();
  expect(job.failure).toBeUndefined();
  expect(await commitOf(job)).toBe(tip);
});
