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

async function fetched(over: { packet?: object; location?: string } = {}): Promise<TestJob> {
  const packet = JSON.stringify({ ...fixture.packet, ...over.packet });
  const declaration = JSON.stringify({
    ...fixture.declaration,
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

test('another branch where the packet names one, and npm by its lockfile at the root', async () => {
  const next = commitFiles(fixture.bare, { 'package.json': '{}', 'package-lock.json': '{}' }, fixture.base.commit);
  git(fixture.bare, ['update-ref', 'refs/heads/release/1', next.commit]);
  const job = await fetched({ packet: { scope: { repository: 'rates', ref: 'release/1', allowedPaths: ['**'] } } });
  expect(job.outcome).toMatchObject({
    verdict: 'fetched_npm',
    facts: { manifests: ['package-lock.json'], baseCommit: next.commit },
  });
  expect(await commitOf(job)).toBe(next.commit);
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
