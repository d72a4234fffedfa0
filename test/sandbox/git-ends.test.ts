import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readRef } from '../../shared/sandbox/git/push.ts';
import { fetchSource } from '../../shared/sandbox/git/source.ts';
import { runGit } from '../../shared/sandbox/git/spawn.ts';
import { defaultSourceLimits } from '../../shared/sandbox/limits.ts';
import { codeOf, publishedRepository, scratch } from './repositories.ts';

/** A git:// server that takes a connection and never answers. */
async function silentServer(): Promise<{ url: string; contacted: Promise<unknown> }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const contacted = once(server, 'connection').then(([socket]) => onTestFinished(() => void socket.destroy()));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `git://127.0.0.1:${address.port}/x.git`, contacted };
}

function gitProcesses(url: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(url) && command.includes('git\0');
      } catch {
        return false;
      }
    });
}

test('a remote that never answers is left at the time limit', async () => {
  const { url } = await silentServer();
  const into = join(scratch(), 's.git');
  const fetched = fetchSource({
    remote: { url, allowProtocol: ['git'] },
    ref: 'HEAD',
    into,
    limits: { ...defaultSourceLimits, wallMs: 300 },
  });
  expect(await codeOf(fetched)).toBe('GIT-TIMED-OUT');
  expect(gitProcesses(url)).toEqual([]);
  expect(existsSync(into)).toBe(false);
});

test('cancelling ends git in the middle', async () => {
  const { url, contacted } = await silentServer();
  const controller = new AbortController();
  const reading = codeOf(
    readRef({ remote: { url, allowProtocol: ['git'] }, ref: 'refs/heads/main', signal: controller.signal }),
  );
  await contacted;
  controller.abort();
  expect(await reading).toBe('GIT-CANCELLED');
  expect(gitProcesses(url)).toEqual([]);
});

test.runIf(existsSync('/usr/bin/setpriv'))('git does not outlive a worker killed with SIGKILL', async () => {
  const { url, contacted } = await silentServer();
  const program = `
    import { readRef } from ${JSON.stringify(new URL('../../shared/sandbox/git/push.ts', import.meta.url).href)};
    await readRef({ remote: { url: ${JSON.stringify(url)}, allowProtocol: ['git'] }, ref: 'refs/heads/main' });`;
  const worker = spawn(process.execPath, ['--input-type=module', '-'], { stdio: ['pipe', 'inherit', 'inherit'] });
  onTestFinished(() => void worker.kill('SIGKILL'));
  worker.stdin.end(program);
  await contacted;
  expect(gitProcesses(url)).not.toEqual([]);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  await expect.poll(() => gitProcesses(url)).toEqual([]);
});

test('output past its limit ends git', async () => {
  const { repository, tree } = await publishedRepository({ 'a.txt': 'x'.repeat(100_000) });
  const read = runGit({
    repository,
    arguments: ['cat-file', 'blob', `${tree}:a.txt`],
    limits: { wallMs: 10_000, outputBytes: 99_999 },
  });
  expect(await codeOf(read)).toBe('GIT-OUTPUT-TOO-LARGE');
});

test("the machine's and the repository's configuration do not reach git", async () => {
  const { repository } = await publishedRepository({ a: 'x' });
  process.env['GIT_DIR'] = '/nonexistent';
  process.env['GIT_CONFIG_COUNT'] = '1';
  process.env['GIT_CONFIG_KEY_0'] = 'core.hooksPath';
  process.env['GIT_CONFIG_VALUE_0'] = '/evil';
  onTestFinished(() => {
    for (const name of ['GIT_DIR', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0'])
      delete process.env[name];
  });
  await runGit({ repository, arguments: ['config', 'core.fsmonitor', '/evil'] });
  const { stdout } = await runGit({ repository, arguments: ['config', '--list', '--show-scope'] });
  const settings = stdout.toString().trim().split('\n');
  expect(settings.filter((line) => /^(?:system|global)\t/.test(line))).toEqual([]);
  expect(settings).toContain('command\tcore.hookspath=/dev/null');
  expect((await runGit({ repository, arguments: ['config', '--get', 'core.fsmonitor'] })).stdout.toString()).toBe(
    'false\n',
  );
});
