import { existsSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SandboxResult, SandboxRun } from '../../shared/sandbox/driver.ts';
import { defaultSandboxLimits } from '../../shared/sandbox/limits.ts';
import { processDriver } from '../../shared/sandbox/process/process.ts';
import { isAlive, processStatus } from '../../shared/sandbox/running/processes.ts';
import { selectDriver } from '../../shared/sandbox/select.ts';
import { codeOf, scratch } from './repositories.ts';

const driver = processDriver({ acknowledgedNoIsolation: true });
const limits = { ...defaultSandboxLimits, wallMs: 20_000 };
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const run = (script: string, changes: Partial<SandboxRun> = {}): Promise<SandboxResult> =>
  driver.run({
    argv: ['/bin/sh', '-c', script],
    workingDirectory: scratch(),
    mounts: [],
    environment: {},
    limits,
    ...changes,
  });

test('it has to be acknowledged', async () => {
  // As a caller without types, or with a policy's answer in a variable, could do.
  const unacknowledged = { acknowledgedNoIsolation: false } as unknown as { acknowledgedNoIsolation: true };
  expect(() => processDriver(unacknowledged)).toThrow(/SANDBOX-NOT-ACKNOWLEDGED/);
  expect(await codeOf(selectDriver({ kinds: ['process'] }))).toBe('SANDBOX-UNAVAILABLE');
  const { identity } = await selectDriver({ kinds: ['process'], acknowledgedNoIsolation: true });
  expect(identity).toMatchObject({ kind: 'process', isolation: 'none', versions: { node: process.versions.node } });
});

test('runs with a cleared environment and a HOME of its own that is gone afterwards', async () => {
  process.env['FACTORY_CANARY'] = 'CANARY';
  const result = await run('env; echo x > ~/file; exit 4', { environment: { NAMED: 'yes' } });
  delete process.env['FACTORY_CANARY'];
  expect(result).toMatchObject({ exitCode: 4, signal: null, endedBy: 'itself' });
  expect(text(result.stdout)).toContain('NAMED=yes');
  expect(text(result.stdout)).not.toContain('CANARY');
  const home = /^HOME=(.*)$/m.exec(text(result.stdout))?.[1] ?? '';
  expect(home).not.toBe(process.env['HOME']);
  expect(existsSync(home)).toBe(false);
});

test('ends by its limits, with what left the process group', async () => {
  const endless = await run('setsid sleep 300 > /dev/null 2>&1 & echo $!; while :; do :; done', {
    limits: { ...limits, wallMs: 600 },
  });
  expect(endless).toMatchObject({ timedOut: true, endedBy: 'wall', exitCode: null });
  const daemon = Number(text(endless.stdout));
  expect(isAlive(daemon, processStatus(daemon)?.startedAt ?? '')).toBe(false);
  const flood = await run('yes', { limits: { ...limits, outputBytes: 1000 } });
  expect(flood).toMatchObject({ endedBy: 'output', outputTruncated: true });
  const hog = await run("exec node -e 'const held = []; for (;;) held.push(Buffer.alloc(16 << 20, 1))'", {
    limits: { ...limits, memoryBytes: 150 << 20 },
  });
  expect(hog.endedBy).toBe('memory');
  expect(await run('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV', endedBy: 'itself' });
});

test('cancelling ends it', async () => {
  const controller = new AbortController();
  const handle = await driver.start({
    argv: ['/bin/sh', '-c', 'echo up; sleep 300'],
    workingDirectory: scratch(),
    mounts: [],
    environment: {},
    limits,
    signal: controller.signal,
  });
  await expect.poll(() => text(handle.captured().stdout)).toBe('up\n');
  controller.abort();
  expect(await handle.exited).toMatchObject({ cancelled: true });
});

test('a mount that it could not make is refused', async () => {
  const source = mkdtempSync(join(scratch(), 'm-'));
  expect(await codeOf(run('true', { mounts: [{ source, target: '/workspace', mode: 'read-write' }] }))).toBe(
    'SANDBOX-MOUNT-REFUSED',
  );
  expect((await run('true', { mounts: [{ source, target: source, mode: 'read-write' }] })).exitCode).toBe(0);
});
