import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Mount, SandboxResult, SandboxRun } from '../../shared/sandbox/driver.ts';
import { defaultSandboxLimits } from '../../shared/sandbox/limits.ts';
import type { SandboxRefusal } from '../../shared/sandbox/refusal.ts';
import { failureOfRefusal } from '../../shared/stations/work/failures.ts';
import { codeOf, scratch } from './repositories.ts';
import { canStandIn, driverOf, POOL_TOKEN, startSessionPool } from './session-pool.ts';

const limits = { ...defaultSandboxLimits, wallMs: 20_000 };
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.skipIf(!canStandIn)('runs in sessions of a pool', async () => {
  if (!canStandIn) return;
  const pool = await startSessionPool();
  afterAll(() => pool.close());
  beforeEach(() => {
    pool.meddling.before = () => undefined;
    pool.meddling.tokenForwarded = false;
    pool.meddling.hold = () => 0;
    pool.meddling.after = (_, answer) => answer;
  });
  const driver = driverOf(pool);
  const order = (script: string, changes: Partial<SandboxRun> = {}): SandboxRun => ({
    argv: ['/bin/sh', '-c', script],
    workingDirectory: '/',
    mounts: [],
    environment: {},
    limits,
    ...changes,
  });
  const run = (script: string, changes: Partial<SandboxRun> = {}): Promise<SandboxResult> =>
    driver.run(order(script, changes));
  const mounted = (mode: Mount['mode'] = 'read-write'): Mount => {
    const source = join(scratch(), 'mounted');
    mkdirSync(source);
    return { source, target: '/workspace', mode };
  };

  test('two at once never share one, and nothing of a run is left for the next', async () => {
    const script = 'echo $$ > /tmp/mark; sleep 0.3; ls /tmp; touch /tmp/$(cat /tmp/mark)x';
    const [one, two] = await Promise.all([run(script), run(script)]);
    expect(text(one.stdout)).toMatch(/^mark\n(session-\w+\n)?$/);
    expect(text(two.stdout)).toMatch(/^mark\n(session-\w+\n)?$/);
    expect(pool.sessions.size).toBe(0);
    expect(new Set(pool.ended).size).toBe(pool.ended.length);
    for (const identifier of pool.ended) expect(identifier).toMatch(/^[0-9a-f]{48}$/);
  });

  test('a session runs one program and refuses a second', async () => {
    let second: Promise<number> | undefined;
    pool.meddling.after = (call, answer) => {
      if (call.method === 'POST' && call.path === '/v1/run' && second === undefined) {
        const body = { ...order('true'), argv: ['/bin/true'], mounts: [], stdinBytes: 0 };
        const url = `${pool.endpoint}/v1/run?${call.query}`;
        const headers = { authorization: `Bearer ${POOL_TOKEN}` };
        second = fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).then(({ status }) => status);
      }
      return answer;
    };
    expect(text((await run('sleep 0.5; echo first')).stdout)).toBe('first\n');
    expect(await second).toBe(409);
  });

  test('no token, no setting, no agent and no network is in reach inside', async () => {
    process.env['FACTORY_CANARY'] = 'CANARY-SETTING';
    pool.meddling.tokenForwarded = true;
    const listening = createServer().listen(0, '127.0.0.1');
    await once(listening, 'listening');
    onTestFinished(() => void listening.close());
    const port = (listening.address() as { port: number }).port;
    const script = `env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'
      for p in /proc/[0-9]*; do head -c 1 $p/mem 2>/dev/null; ls $p/fd > /dev/null 2>&1 && echo "sees $(cat $p/comm)"; done
      find / -xdev -readable -not -path '/usr/*' -not -path '/proc/*' -type f 2>/dev/null | xargs grep -la 'CANARY\\|TOKEN-OF' 2>/dev/null
      ls /tmp/session-* /app 2>/dev/null; kill -9 1 2>/dev/null && echo killed
      node -e "require('net').connect(${port}, '127.0.0.1').on('connect', () => console.log('reached')).on('error', () => {})"
      curl -s http://169.254.169.254/ && echo metadata; true`;
    const said = text((await run(script)).stdout);
    delete process.env['FACTORY_CANARY'];
    expect(said).toContain('HOME=/home/factory');
    expect(said).not.toMatch(/CANARY|TOKEN|FACTORY_|sees node|reached|killed|metadata/);
    // The agent was given the token with every call, and the program can't reach it there.
    expect(pool.headers.every(({ authorization }) => authorization === `Bearer ${POOL_TOKEN}`)).toBe(true);
  });

  test('once a run was ordered nobody is told what a call needs, as the program can reach the agent’s port', async () => {
    let hello: Promise<unknown> | undefined;
    pool.meddling.after = (call, answer) => {
      if (call.method === 'POST' && call.path === '/v1/run' && hello === undefined) {
        const url = `${pool.endpoint}/v1/session?${call.query}`;
        hello = fetch(url, { headers: { authorization: `Bearer ${POOL_TOKEN}` } }).then((told) => told.json());
      }
      return answer;
    };
    expect((await run('sleep 0.5')).endedBy).toBe('itself');
    expect(await hello).toMatchObject({ used: true, instance: '' });
  });

  test('what is mounted read-only can not be changed, not by its name either', async () => {
    const mount = mounted('read-only');
    mkdirSync(join(mount.source, 'directory'));
    writeFileSync(join(mount.source, 'directory', 'file'), 'given\n');
    const script =
      'echo x > /workspace/directory/file; echo x > /workspace/new; rm -rf /workspace/directory; mv /workspace /w; cat /workspace/directory/file; ls /workspace';
    const ended = await run(script, { mounts: [mount] });
    expect(text(ended.stdout)).toBe('given\ndirectory\n');
  });

  test('a pool that is full for a moment is waited for, one that stays full is another attempt of the job', async () => {
    let refusals = 0;
    pool.meddling.before = ({ path }) =>
      path === '/v1/session' && refusals++ < 3
        ? { status: refusals === 1 ? 503 : 429, body: Buffer.from('full') }
        : undefined;
    expect((await run('exit 4')).exitCode).toBe(4);
    pool.meddling.before = ({ path }) =>
      path === '/v1/session' ? { status: 429, body: Buffer.from('full'), headers: { 'retry-after': '1' } } : undefined;
    const busy: unknown = await driverOf(pool, { allocate: 300 })
      .run(order('true'))
      .catch((error: unknown) => error);
    expect(busy).toMatchObject({ code: 'SANDBOX-POOL-BUSY' });
    expect(failureOfRefusal(busy as SandboxRefusal)).toMatchObject({ kind: 'retryable', class: 'transient_infra' });
    // A probe is no verdict on the pool then, and not kept as one.
    expect(await codeOf(driverOf(pool, { allocate: 300 }).probe())).toBe('SANDBOX-POOL-BUSY');
  });

  test('a token that is refused is said at once, without the token', async () => {
    const probed = await driverOf(pool, {}, 'SECRET-OF-ANOTHER').probe();
    expect(probed).toMatchObject({ usable: false, reason: expect.stringContaining('role of a session executor') });
    expect(JSON.stringify(probed)).not.toContain('SECRET');
  });

  test('calls that are lost on their way, or their answers, are repeated where nothing runs twice', async () => {
    const mount = mounted();
    writeFileSync(join(mount.source, 'large'), Buffer.alloc(9_000_000, 'l'));
    let calls = 0;
    const drops = ({ method, path }: { method: string; path: string }) =>
      path !== '/.management/stopSession' && !(method === 'POST' && path === '/v1/run') && calls++ % 3 === 0;
    pool.meddling.before = (call) => (drops(call) ? 'drop' : undefined);
    pool.meddling.after = (call, answer) => (drops(call) ? 'drop' : answer);
    const input = Buffer.alloc(5_000_000, 'i');
    const ended = await run(
      'wc -c < large; cat | wc -c; echo once >> runs; head -c 6000000 /dev/zero > new; head -c 3000000 /dev/zero',
      {
        mounts: [mount],
        workingDirectory: '/workspace',
        stdin: input,
      },
    );
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toHaveLength('9000000\n5000000\n'.length + 3_000_000);
    expect(readFileSync(join(mount.source, 'new'))).toHaveLength(6_000_000);
    expect(readFileSync(join(mount.source, 'runs'), 'utf8')).toBe('once\n');
  });

  test('an order whose answer is lost is not given again', async () => {
    let orders = 0;
    pool.meddling.after = (call, answer) => {
      if (call.method !== 'POST' || call.path !== '/v1/run') return answer;
      orders += 1;
      return 'drop';
    };
    const lost: unknown = await run('true').catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: 'SANDBOX-SESSION-LOST' });
    expect(failureOfRefusal(lost as SandboxRefusal)).toMatchObject({ kind: 'retryable', class: 'transient_infra' });
    expect(orders).toBe(1);
    expect(pool.sessions.size).toBe(0);
  });

  test('an agent that is killed in the middle is a lost session, also when the pool puts another in its place', async () => {
    for (const replaced of [false, true]) {
      const handle = await driverOf(pool, { unreachable: 400 }).start(order('echo up; sleep 300'));
      await expect.poll(() => text(handle.captured().stdout)).toBe('up\n');
      const [[identifier, session] = ['', undefined]] = [...pool.sessions];
      if (replaced) pool.sessions.delete(identifier);
      await session?.kill();
      expect(await codeOf(handle.exited)).toBe('SANDBOX-SESSION-LOST');
      expect(pool.sessions.size).toBe(0);
    }
  });

  test('a stop that fails costs nobody the result', async () => {
    pool.meddling.before = ({ path }) =>
      path === '/.management/stopSession' ? { status: 500, body: Buffer.from('no') } : undefined;
    expect(text((await driverOf(pool, { unreachable: 100 }).run(order('echo done'))).stdout)).toBe('done\n');
    for (const [identifier, session] of pool.sessions) {
      pool.sessions.delete(identifier);
      await session.kill();
    }
  });

  test('a program that leaves what is no tree is told to a person', async () => {
    for (const [script, why] of [
      ['mkfifo pipe', 'neither a file'],
      ['ln -s /etc/passwd link', 'leads out'],
      ['mkdir a; ln -s ../../x a/link', 'leads out'],
      ['mkdir a; ln -s a/../../x link', 'leads out'],
    ] as const) {
      const refusal: unknown = await run(script, { mounts: [mounted()], workingDirectory: '/workspace' }).catch(
        (error: unknown) => error,
      );
      expect(refusal).toMatchObject({ code: 'SANDBOX-RESULT-REFUSED', message: expect.stringContaining(why) });
      expect(failureOfRefusal(refusal as SandboxRefusal).kind).toBe('needs_human');
    }
  });

  test('what leads out of a mount is not brought in', async () => {
    const mount = mounted();
    symlinkSync('/etc/passwd', join(mount.source, 'link'));
    expect(await codeOf(run('true', { mounts: [mount] }))).toBe('SANDBOX-MOUNT-REFUSED');
    const places = ['/usr/x', '/', '/proc/1', 'workspace', '/workspace/../etc', '/tmp/../etc'];
    for (const target of places)
      expect(await codeOf(run('true', { mounts: [{ ...mounted(), target }] }))).toBe('SANDBOX-MOUNT-REFUSED');
    expect(pool.sessions.size).toBe(0);
  });

  test('a socket that is made between two questions is told of by the second', async () => {
    const mount = mounted();
    // The first answer, which has something to tell, is held back until the socket is there.
    let held = 0;
    pool.meddling.hold = ({ method, path }) => (method === 'GET' && path === '/v1/run' && held++ === 0 ? 1_000 : 0);
    const server =
      "console.log('up'); setTimeout(() => require('net').createServer().listen('/workspace/made.sock'), 300)";
    const handle = await driver.start(order(`exec node -e "${server}"`, { mounts: [mount] }));
    await expect.poll(() => existsSync(join(mount.source, 'made.sock'))).toBe(true);
    await handle.stop();
    expect(existsSync(join(mount.source, 'made.sock'))).toBe(false);
  });

  test('a socket of the worker is reached by its name, and no other', async () => {
    const mount = mounted('read-only');
    const server = createServer((socket) => socket.end('from the worker'));
    server.listen(join(mount.source, 'given.sock'));
    onTestFinished(() => void server.close());
    const connect = `node -e "const s = require('net').connect('/workspace/' + process.argv[1]); s.on('data', (d) => console.log(String(d))).on('error', (e) => console.log(e.code))"`;
    const ended = await run(`${connect} given.sock; ${connect} other.sock; ls /workspace`, { mounts: [mount] });
    expect(text(ended.stdout)).toBe('from the worker\nENOENT\ngiven.sock\n');
    expect(existsSync(join(mount.source, 'given.sock'))).toBe(true);
  });
});
