import { spawn } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodeHostUnreachable } from '../../shared/effects/code-hosts/code-host.ts';
import { openLocalCodeHost } from '../../shared/effects/code-hosts/local/local-code-host.ts';
import { parseCommitId } from '../../shared/sandbox/git/object-id.ts';
import { type DeliveryFixture, deliveryFixture, git } from './repository-fixture.ts';

let fixture: DeliveryFixture;
beforeEach(async () => {
  fixture = await deliveryFixture();
});
afterEach(() => fixture.close());

const draft = (head: string) => ({ head, base: 'main', title: 'A title', body: 'A body' });

describe('pull requests', () => {
  test('are unique by head and numbered in the order they were opened', async () => {
    const host = await openLocalCodeHost(fixture.bare);
    expect(await host.findPullRequest('factory/a')).toBeNull();
    expect(await host.openPullRequest(draft('factory/a'))).toMatchObject({
      opened: true,
      pullRequest: { number: 1, state: 'open' },
    });
    expect(await host.openPullRequest({ ...draft('factory/a'), title: 'Another' })).toMatchObject({
      opened: false,
      pullRequest: { number: 1, title: 'A title' },
    });
    expect(await host.openPullRequest(draft('factory/b'))).toMatchObject({ opened: true, pullRequest: { number: 2 } });
    expect(await host.readPullRequest(2)).toMatchObject({ head: 'factory/b' });
    expect(await host.readPullRequest(3)).toBeNull();
  });

  test('closed once stay closed and keep their head', async () => {
    const host = await openLocalCodeHost(fixture.bare);
    await host.openPullRequest(draft('factory/a'));
    await host.closePullRequest(1, 'because');
    await host.closePullRequest(1, 'again');
    await host.closePullRequest(7, 'there is none');
    expect(await host.readPullRequest(1)).toMatchObject({ state: 'closed' });
    expect(await host.readPullRequest(7)).toBeNull();
    expect(await host.openPullRequest(draft('factory/a'))).toMatchObject({
      opened: false,
      pullRequest: { state: 'closed' },
    });
  });

  test('opened by racing processes: every head once, every number once', async () => {
    const heads = ['a', 'b', 'c', 'd', 'e', 'f'];
    const script = `
      import { openLocalCodeHost } from ${JSON.stringify(new URL('../../shared/effects/code-hosts/local/local-code-host.ts', import.meta.url).href)};
      const host = await openLocalCodeHost(${JSON.stringify(fixture.bare)});
      const all = await Promise.all(${JSON.stringify(heads)}.map((head) => host.openPullRequest({ head, base: 'main', title: head, body: '' })));
      console.log(JSON.stringify(all.map(({ opened, pullRequest }) => ({ opened, number: pullRequest.number, head: pullRequest.head }))));`;
    const file = join(fixture.directory, 'race.mts');
    await writeFile(file, script);
    const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
    const run = () =>
      new Promise<{ opened: boolean; number: number; head: string }[]>((resolve, reject) => {
        const child = spawn(node, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        child.once('close', (code) =>
          code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`ended with ${code}`)),
        );
      });
    const answers = (await Promise.all([run(), run(), run()])).flat();
    for (const head of heads) {
      const ofHead = answers.filter((answer) => answer.head === head);
      expect(ofHead.filter((answer) => answer.opened)).toHaveLength(1);
      expect(new Set(ofHead.map((answer) => answer.number)).size).toBe(1);
    }
    expect(new Set(answers.map((answer) => answer.number)).size).toBe(heads.length);
    const left = await readdir(join(fixture.bare, 'factory-pull-requests'));
    expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a number whose writer died before it had its head is no pull request', async () => {
    const host = await openLocalCodeHost(fixture.bare);
    await host.openPullRequest(draft('factory/a'));
    const heads = join(fixture.bare, 'factory-pull-requests', 'heads');
    for (const name of await readdir(heads)) await rm(join(heads, name));
    expect(await host.readPullRequest(1)).toBeNull();
    expect(await host.openPullRequest(draft('factory/a'))).toMatchObject({ opened: true, pullRequest: { number: 2 } });
    expect(await host.readPullRequest(1)).toBeNull();
  });

  test('survive git gc and are not fetched', async () => {
    const host = await openLocalCodeHost(fixture.bare);
    await host.openPullRequest(draft('factory/a'));
    git(fixture.bare, ['gc', '--quiet', '--prune=now']);
    expect(git(fixture.bare, ['fsck', '--strict'])).toBe('');
    expect(await host.readPullRequest(1)).toMatchObject({ number: 1 });
  });
});

describe('pushes', () => {
  const signal = new AbortController().signal;
  const ref = 'refs/heads/factory/x';

  test('are fenced by what the ref must be', async () => {
    const host = await openLocalCodeHost(fixture.bare);
    const commit = parseCommitId(fixture.change.commit);
    const base = parseCommitId(fixture.base.commit);
    expect(await host.readRef(ref, signal)).toBeNull();
    expect(await host.push({ repository: fixture.work, commit, ref, expected: null, signal })).toEqual({
      outcome: 'pushed',
    });
    expect(await host.readRef(ref, signal)).toBe(commit);
    expect(await host.push({ repository: fixture.work, commit: base, ref, expected: null, signal })).toMatchObject({
      outcome: 'rejected',
      seen: commit,
    });
    expect(await host.push({ repository: fixture.work, commit: base, ref, expected: base, signal })).toMatchObject({
      outcome: 'rejected',
      seen: commit,
    });
    expect(await host.readRef(ref, signal)).toBe(commit);
  });

  test.each(['absent.git', '.', 'relative'])(
    'a location without a bare repository (%s) is unreachable',
    async (place) => {
      const location = place === 'relative' ? place : join(fixture.directory, place);
      await expect(openLocalCodeHost(location)).rejects.toBeInstanceOf(CodeHostUnreachable);
    },
  );
});
