import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { SandboxDriver, SandboxResult, SandboxRun } from '../../shared/sandbox/driver.ts';
import { processDriver } from '../../shared/sandbox/process/process.ts';
import { mountAt, writableDirectory } from '../../shared/stations/work/inside.ts';
import { codeOf, scratch } from './repositories.ts';
import { bubblewrap, limits, probed, text } from './sandboxes.ts';
import { canStandIn, driverOf, startSessionPool } from './session-pool.ts';

const pool = canStandIn ? await startSessionPool() : undefined;
afterAll(() => pool?.close());

const drivers: readonly (readonly [string, SandboxDriver])[] = [
  ...(probed.usable ? [['bubblewrap', bubblewrap] as const] : []),
  ['process', processDriver({ acknowledgedNoIsolation: true })],
  ...(pool === undefined ? [] : [['sessions', driverOf(pool)] as const]),
];

/** What every driver does, by the words of `driver.ts`; what one isolates beyond that has tests of its own. */
describe.each(drivers)('%s', (kind, driver) => {
  const order = (script: string, changes: Partial<SandboxRun> = {}): SandboxRun => ({
    argv: ['/bin/sh', '-c', script],
    workingDirectory: driver.isolation === 'none' ? scratch() : '/',
    mounts: [],
    environment: {},
    limits,
    ...changes,
  });
  const run = (script: string, changes: Partial<SandboxRun> = {}): Promise<SandboxResult> =>
    driver.run(order(script, changes));
  const writable = async () =>
    mountAt(driver, await writableDirectory(driver, join(scratch(), 'w')), '/workspace', 'read-write');

  test('names itself by a trial run', async () => {
    expect(driver.kind).toBe(kind);
    const identity = { kind, isolation: driver.isolation, versions: { node: process.versions.node } };
    expect(await driver.probe()).toMatchObject({ usable: true, identity });
  });

  test('an exit code, a signal, a missing program, both outputs and standard input', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toMatchObject({
      exitCode: 3,
      signal: null,
      endedBy: 'itself',
      timedOut: false,
      cancelled: false,
      stdout: Buffer.from('out\n'),
      stderr: Buffer.from('err\n'),
      outputTruncated: false,
    });
    expect(await run('kill -SEGV $$')).toMatchObject({ signal: 'SIGSEGV', endedBy: 'itself' });
    expect(await run('', { argv: ['/no/such/program'] })).toMatchObject({ exitCode: 127 });
    const input = Buffer.alloc(3_000_000, 'x');
    expect((await run('cat', { stdin: input })).stdout).toEqual(input);
    expect((await run('head -c 10', { stdin: input })).stdout).toEqual(input.subarray(0, 10));
  });

  test('what can not be set up is refused', async () => {
    expect(await codeOf(run('true', { workingDirectory: '/absent' }))).toBe('SANDBOX-SETUP-FAILED');
    expect(await codeOf(run('true', { environment: { 'A B': '1' } }))).toBe('SANDBOX-SETUP-FAILED');
    const absent = mountAt(driver, join(scratch(), 'absent'), '/workspace', 'read-only');
    if (driver.isolation === 'isolated')
      expect(await codeOf(run('true', { mounts: [absent] }))).toBe('SANDBOX-MOUNT-REFUSED');
  });

  test('a cleared environment with what was given', async () => {
    process.env['FACTORY_CANARY'] = 'CANARY';
    const said = text((await run('env', { environment: { NAMED: 'yes', LANG: 'C' } })).stdout);
    delete process.env['FACTORY_CANARY'];
    for (const line of ['NAMED=yes', 'LANG=C']) expect(said.split('\n')).toContain(line);
    for (const name of ['PATH', 'HOME', 'TMPDIR']) expect(said).toMatch(new RegExp(`^${name}=/`, 'm'));
    expect(said).not.toContain('CANARY');
  });

  test('a program changes what is mounted read-write, and the next one finds it so', async () => {
    const mount = await writable();
    const changes = { mounts: [mount], workingDirectory: mount.target };
    expect(
      (await run('mkdir -p a/b; echo 1 > a/b/c; echo x > run; chmod +x run; ln -s a/b/c link; echo 2 > gone', changes))
        .exitCode,
    ).toBe(0);
    expect((await run('rm gone; echo 3 >> link; test -x run; mv a/b a/d; ln -sf a/d/c link', changes)).exitCode).toBe(
      0,
    );
    const found = text((await run('cat link; find . -mindepth 1 | sort; test -x run && echo runs', changes)).stdout);
    expect(found).toBe('1\n3\n./a\n./a/d\n./a/d/c\n./link\n./run\nruns\n');
    expect(readFileSync(join(mount.source, 'a/d/c'), 'utf8')).toBe('1\n3\n');
  });

  test('the top .git of a read-write mount is never written to, nested mounts are found', async () => {
    if (driver.isolation === 'none') return;
    const mount = await writable();
    mkdirSync(join(mount.source, '.git'));
    writeFileSync(join(mount.source, '.git', 'config'), 'mine\n');
    const script = join(scratch(), 'given.txt');
    writeFileSync(script, 'given\n', { mode: 0o644 });
    const file = mountAt(driver, script, '/workspace/tools/given.txt', 'read-only');
    const ended = await run(
      'cat .git/config tools/given.txt; echo evil > .git/config; echo evil > .git/hook; rm -rf .git; echo evil > tools/given.txt; echo ok > file; true',
      {
        mounts: [mount, file],
        workingDirectory: '/workspace',
      },
    );
    expect([ended.exitCode, text(ended.stdout)]).toEqual([0, 'mine\ngiven\n']);
    expect(readFileSync(join(mount.source, '.git', 'config'), 'utf8')).toBe('mine\n');
    expect(readFileSync(script, 'utf8')).toBe('given\n');
    expect(readFileSync(join(mount.source, 'file'), 'utf8')).toBe('ok\n');
  });

  test('limits of time, output, memory and files end it, with all it left behind', async () => {
    const endless = await run('(setsid sleep 300 > /dev/null 2>&1 &); while :; do :; done', {
      limits: { ...limits, wallMs: 600 },
    });
    expect(endless).toMatchObject({ timedOut: true, endedBy: 'wall', exitCode: null });
    const flood = await run('yes', { limits: { ...limits, outputBytes: 1000 } });
    expect(flood).toMatchObject({ endedBy: 'output', outputTruncated: true });
    expect(flood.stdout).toHaveLength(1000);
    const hog = "exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(16 << 20, 1))'";
    expect(await run(hog, { limits: { ...limits, memoryBytes: 150 << 20 } })).toMatchObject({ endedBy: 'memory' });
    const opened = await run('ulimit -n; head -c 3000000 /dev/zero > "$HOME/x"; stat -c %s "$HOME/x"', {
      limits: { ...limits, openFiles: 64, fileBytes: 1_000_000 },
    });
    expect(text(opened.stdout)).toBe('64\n1000000\n');
  });

  test('a program that keeps more on disk than its limit is ended', async () => {
    const mount = await writable();
    const greedy = await run('i=0; while :; do i=$((i + 1)); head -c 8000000 /dev/zero > kept$i; sleep 0.02; done', {
      mounts: [mount],
      workingDirectory: mount.target,
      limits: { ...limits, diskBytes: 32 * 1024 * 1024 },
    });
    expect(greedy).toMatchObject({ endedBy: 'disk', exitCode: null });
  });

  test('cancelling ends it, also before it began', async () => {
    const controller = new AbortController();
    const handle = await driver.start(order("echo up; trap '' TERM INT; sleep 300", { signal: controller.signal }));
    await expect.poll(() => text(handle.captured().stdout)).toBe('up\n');
    controller.abort();
    expect(await handle.exited).toMatchObject({ cancelled: true, endedBy: 'cancelled', stdout: Buffer.from('up\n') });
    expect(await run('sleep 30', { signal: AbortSignal.abort() })).toMatchObject({ cancelled: true });
  });

  test('what was started is stopped', async () => {
    const handle = await driver.start(order('echo up; sleep 300'));
    await expect.poll(() => text(handle.captured().stdout)).toBe('up\n');
    const stopped = { endedBy: 'stopped', exitCode: null, stdout: Buffer.from('up\n') };
    expect(await handle.stop()).toMatchObject(stopped);
    expect(await handle.stop()).toMatchObject(stopped);
  });

  test('two at once meet over a socket in a directory that both have', async () => {
    const mount = await writable();
    const server = `require('node:net').createServer({ allowHalfOpen: true }, (s) => { const parts = []; s.on('data', (d) => parts.push(d)); s.on('end', () => s.end(Buffer.concat(parts.reverse()))); }).listen(process.argv[1] + '/socket', () => console.log('listening'))`;
    const handle = await driver.start({
      ...order('', { mounts: [mount] }),
      argv: ['node', '-e', server, mount.target],
    });
    await expect.poll(() => text(handle.captured().stdout)).toContain('listening');
    const client = `const s = require('node:net').connect(process.argv[1] + '/socket'); let n = 0; s.on('data', (d) => { n += d.length; }); s.on('end', () => console.log('got', n)); s.end(Buffer.alloc(5_000_000, 'x'));`;
    const ask = async () =>
      text(
        (
          await driver.run({
            ...order('', { mounts: [{ ...mount, mode: 'read-only' }] }),
            argv: ['node', '-e', client, mount.target],
          })
        ).stdout,
      );
    await expect.poll(() => ask()).toBe('got 5000000\n');
    expect(await handle.stop()).toMatchObject({ endedBy: 'stopped' });
  });
});

test.runIf(pool !== undefined)('each run had a session of its own, which was ended with it', () => {
  expect(pool?.sessions.size).toBe(0);
  expect(pool?.ended.length).toBeGreaterThan(20);
  expect(new Set(pool?.ended).size).toBe(pool?.ended.length);
});
