import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleRepository, openBundle } from '../../shared/sandbox/git/bundle.ts';
import { commitTree } from '../../shared/sandbox/git/commit.ts';
import { parseCommitId } from '../../shared/sandbox/git/object-id.ts';
import { fetchSource } from '../../shared/sandbox/git/source.ts';
import { defaultSourceLimits } from '../../shared/sandbox/limits.ts';
import { codeOf, emptyRepository, git, publishedRepository, scratch, writeCommit, writeTree } from './repositories.ts';

const file = ['file'];

test('fetches exactly the commit of a ref, with its history and nothing else', async () => {
  const { repository, commit: parent } = await publishedRepository({ 'a.txt': 'one' });
  const tree = writeTree(repository, { 'a.txt': 'two', 'b/c.txt': 'three' });
  const commit = writeCommit(repository, tree, parent);
  git(repository, ['update-ref', 'refs/heads/main', commit]);
  git(repository, ['tag', 'v1', commit]);
  git(repository, ['update-ref', 'refs/heads/other', writeCommit(repository, writeTree(repository, { secret: 'x' }))]);

  const into = join(scratch(), 'source.git');
  const source = await fetchSource({ remote: { url: repository, allowProtocol: file }, ref: 'refs/heads/main', into });
  expect(source).toEqual({ commit, tree, entries: 2, bytes: expect.any(Number) });
  expect(git(into, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/source');
  expect(git(into, ['rev-list', '--count', commit])).toBe('2');
  expect(existsSync(join(into, 'hooks'))).toBe(false);

  const byId = await fetchSource({
    remote: { url: `file://${repository}`, allowProtocol: file },
    ref: commit,
    into: join(scratch(), 's.git'),
  });
  expect(byId.commit).toBe(commit);
});

test('a hook, filter or pack hook of the remote runs nothing here', async () => {
  const { repository } = await publishedRepository({ '.gitattributes': '* filter=evil', 'a.txt': 'x' });
  const proof = join(scratch(), 'ran');
  mkdirSync(join(repository, 'hooks'));
  for (const hook of ['pre-receive', 'post-receive', 'update', 'post-checkout', 'reference-transaction']) {
    writeFileSync(join(repository, 'hooks', hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
  }
  git(repository, ['config', 'uploadpack.packObjectsHook', `touch ${proof} #`]);
  git(repository, ['config', 'filter.evil.smudge', `touch ${proof}`]);
  git(repository, ['config', 'core.fsmonitor', `touch ${proof}`]);
  await fetchSource({
    remote: { url: repository, allowProtocol: file },
    ref: 'refs/heads/main',
    into: join(scratch(), 's.git'),
  });
  expect(existsSync(proof)).toBe(false);
});

test('what can not be had is refused by its own code and leaves nothing behind', async () => {
  const { repository } = await publishedRepository({ 'a.txt': 'x'.repeat(2000), 'b.txt': 'y' });
  const directory = scratch();
  const fetch = (changes: Partial<Parameters<typeof fetchSource>[0]>) =>
    codeOf(
      fetchSource({
        remote: { url: repository, allowProtocol: file },
        ref: 'refs/heads/main',
        into: join(directory, 's.git'),
        ...changes,
      }),
    );
  const limits = defaultSourceLimits;
  expect(await fetch({ ref: 'refs/heads/absent' })).toBe('SOURCE-NOT-FOUND');
  expect(await fetch({ ref: 'a'.repeat(40) })).toBe('SOURCE-NOT-FOUND');
  expect(await fetch({ remote: { url: join(directory, 'absent'), allowProtocol: file } })).toBe('SOURCE-NOT-FOUND');
  expect(await fetch({ remote: { url: repository, allowProtocol: ['https'] } })).toBe('SOURCE-PROTOCOL-REFUSED');
  expect(await fetch({ remote: { url: repository, allowProtocol: [] } })).toBe('SOURCE-PROTOCOL-REFUSED');
  expect(await fetch({ limits: { ...limits, entries: 1 } })).toBe('SOURCE-TOO-MANY-ENTRIES');
  expect(await fetch({ limits: { ...limits, blobBytes: 1999 } })).toBe('SOURCE-BLOB-TOO-LARGE');
  expect(await fetch({ limits: { ...limits, packBytes: 100 } })).toBe('SOURCE-TOO-LARGE');
  expect(await fetch({ signal: AbortSignal.abort() })).toBe('GIT-CANCELLED');
  for (const url of [
    'ext::sh -c touch% /x',
    '--upload-pack=evil',
    'https://user:secret@host/x',
    'relative/path',
    'https://host/a\nb',
  ]) {
    expect(await fetch({ remote: { url, allowProtocol: ['ext', 'file', 'https'] } })).toBe('GIT-ARGUMENT-REFUSED');
  }
  for (const ref of [
    '--upload-pack=evil',
    'main',
    'refs/heads/a..b',
    'refs/heads/x.lock',
    '+refs/heads/main:refs/heads/x',
    'refs/heads/-x',
    'refs/heads/a b',
  ]) {
    expect(await fetch({ ref })).toBe('GIT-ARGUMENT-REFUSED');
  }
  expect(readdirSync(directory)).toEqual([]);
  mkdirSync(join(directory, 's.git'));
  expect(await fetch({})).toBe('WORKSPACE-EXISTS');
  expect(readdirSync(directory)).toEqual(['s.git']);
});

test('a shallow clone is refused for what it is', async () => {
  const { repository, tree, commit } = await publishedRepository({ 'a.txt': 'x' });
  git(repository, ['update-ref', 'refs/heads/main', writeCommit(repository, tree, commit)]);
  const clone = join(scratch(), 'clone.git');
  git(repository, ['clone', '--quiet', '--bare', '--depth', '1', '--branch', 'main', `file://${repository}`, clone]);
  const into = join(scratch(), 's.git');
  const fetched = fetchSource({ remote: { url: clone, allowProtocol: file }, ref: 'refs/heads/main', into });
  await expect(fetched).rejects.toMatchObject({
    code: 'SOURCE-SHALLOW',
    message: expect.stringContaining('--unshallow'),
  });
  expect(existsSync(into)).toBe(false);
});

test('a source whose objects are malformed is refused on the way in', async () => {
  const { repository } = await publishedRepository({ 'a.txt': 'x' });
  // A tree with a .git entry: fsck's hasDotgit.
  const tree = writeTree(repository, { '.git/config': 'evil' });
  git(repository, ['update-ref', 'refs/heads/main', writeCommit(repository, tree)]);
  const fetched = fetchSource({
    remote: { url: repository, allowProtocol: file },
    ref: 'refs/heads/main',
    into: join(scratch(), 's.git'),
  });
  expect(await codeOf(fetched)).toBe('SOURCE-CORRUPT');
});

test('a base bundle stands alone; a change bundle needs its base', async () => {
  const {
    repository,
    commit: base,
    tree: baseTree,
  } = await publishedRepository({ 'a.txt': 'one', 'b.txt': 'x'.repeat(5000) });
  const tree = writeTree(repository, { 'a.txt': 'two', 'b.txt': 'x'.repeat(5000) });
  const commit = await commitTree({
    repository,
    tree,
    parent: base,
    message: 'Change',
    at: new Date(1_700_000_000_000),
  });
  const directory = scratch();
  const whole = join(directory, 'base.bundle');
  const thin = join(directory, 'change.bundle');
  expect((await bundleRepository({ repository, commit: base, file: whole })).bytes).toBe(readFileSync(whole).length);
  await bundleRepository({ repository, commit, base, file: thin });

  const into = join(directory, 'opened.git');
  expect(await codeOf(openBundle({ file: thin, into }))).toBe('BUNDLE-MISSING-BASE');
  expect(existsSync(into)).toBe(false);
  expect(await openBundle({ file: whole, into })).toMatchObject({ commit: base, tree: baseTree, entries: 2 });
  expect(await openBundle({ file: thin, into })).toMatchObject({ commit, tree });
});

test('a damaged, hostile or oversized bundle is refused', async () => {
  const { repository, commit } = await publishedRepository({ 'a.txt': 'x'.repeat(3000) });
  const directory = scratch();
  const bundle = join(directory, 'b.bundle');
  await bundleRepository({ repository, commit, file: bundle });
  const good = readFileSync(bundle);
  const open = (bytes: Buffer, limits = defaultSourceLimits): Promise<string> => {
    const damaged = join(directory, 'damaged.bundle');
    writeFileSync(damaged, bytes);
    return codeOf(openBundle({ file: damaged, into: join(directory, 'o.git'), limits }));
  };
  const flipped = Buffer.from(good);
  flipped[good.length - 40] = (flipped[good.length - 40] ?? 0) ^ 0xff;
  expect(await open(flipped)).toBe('BUNDLE-CORRUPT');
  expect(await open(good.subarray(0, good.length - 30))).toBe('BUNDLE-CORRUPT');
  expect(await open(Buffer.from('# v2 git bundle\n'))).toBe('BUNDLE-CORRUPT');
  expect(await open(Buffer.from('#!/bin/sh\n\n'))).toBe('BUNDLE-CORRUPT');
  expect(await open(good, { ...defaultSourceLimits, packBytes: 50 })).toBe('SOURCE-TOO-LARGE');
  expect(await open(good, { ...defaultSourceLimits, blobBytes: 50 })).toBe('SOURCE-BLOB-TOO-LARGE');
  const other = Buffer.from(good.toString('latin1').replace(commit, 'b'.repeat(40)), 'latin1');
  expect(await open(other)).not.toBe('no refusal');

  git(repository, [
    'update-ref',
    'refs/heads/evil',
    writeCommit(repository, writeTree(repository, { '.git/config': 'evil' })),
  ]);
  const evil = parseCommitId(git(repository, ['rev-parse', 'refs/heads/evil']));
  await bundleRepository({ repository, commit: evil, file: bundle });
  expect(await codeOf(openBundle({ file: bundle, into: join(directory, 'o.git') }))).toBe('BUNDLE-CORRUPT');
  expect(await open(good)).toBe('no refusal');
});

test('a commit id follows from its arguments alone', async () => {
  const ids = await Promise.all(
    [1, 2].map(async () => {
      const repository = await emptyRepository();
      return commitTree({
        repository,
        tree: writeTree(repository, { a: 'x' }),
        parent: null,
        message: 'Same',
        at: new Date(1_700_000_000_500),
      });
    }),
  );
  expect(ids[0]).toBe(ids[1]);
  const repository = await emptyRepository();
  const commit = await commitTree({
    repository,
    tree: writeTree(repository, { a: 'x' }),
    parent: null,
    message: 'Same',
    at: new Date(1_700_000_000_500),
  });
  expect(git(repository, ['show', '-s', '--format=%an <%ae> %at %cn <%ce> %ct %s', commit])).toBe(
    'Agent Factory <factory@localhost> 1700000000 Agent Factory <factory@localhost> 1700000000 Same',
  );
});
