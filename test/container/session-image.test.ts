import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SESSION_PORT } from '../../shared/sandbox/sessions/protocol.ts';
import { canStandIn, driverOf, startSessionPool } from '../sandbox/session-pool.ts';

const root = path.resolve(import.meta.dirname, '../..');
const out = mkdtempSync(path.join(tmpdir(), 'session-image-'));
const context = path.join(out, 'session');

beforeAll(async () => {
  await new Promise<void>((resolve, reject) => {
    const args = [path.join(root, 'scripts/build/main.ts'), out];
    execFile(process.execPath, args, { cwd: root }, (error) => (error === null ? resolve() : reject(error)));
  });
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

test('the Dockerfile copies what the build made, on a base that is given, and starts the agent below a first process', () => {
  const lines = readFileSync(path.join(context, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const of = (instruction: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : []));
  expect([of('ARG'), of('COPY')]).toEqual([['BASE'], ['. .']]);
  expect(of('FROM').join()).toMatch(/^\$\{BASE\}$/);
  const entry = JSON.parse(of('ENTRYPOINT')[0]!) as string[];
  expect(entry).toEqual(['tini', '--', 'node', 'main.js']);
  expect(existsSync(path.join(context, 'main.js'))).toBe(true);
  for (const needed of ['tini', 'util-linux']) expect(of('RUN').join(' ')).toContain(` ${needed}`);
  // The program that it runs is another user: program.ts.
  expect(of('USER')).toEqual(['0:0']);
  expect(of('EXPOSE')).toEqual([String(SESSION_PORT)]);
  expect(lines.join('\n')).not.toMatch(/\b(ADD|curl|wget|sudo|chmod)\b/);
});

test('the pool sends calls to the port that the agent listens on', () => {
  const template = readFileSync(path.join(root, 'infra/modules/session-pool.bicep'), 'utf8');
  expect(template).toContain(`ingress: { targetPort: ${SESSION_PORT} }`);
  expect(template).toContain("status: 'EgressDisabled'");
  expect(template).toContain("lifecycle: 'None'");
});

test('it carries no package, no other program and nothing of the plane', () => {
  const { dependencies } = JSON.parse(readFileSync(path.join(context, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  expect(dependencies).toEqual({});
  const modules = readdirSync(context, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const allowed = /^(main\.js|container\/session\/|shared\/sandbox\/|shared\/domain\/(program|text\/hidden)\.js)/;
  expect(modules.filter((name) => !allowed.test(name))).toEqual([]);
  expect(modules.filter((name) => /answers|session-pool|run-in-session|bubblewrap|git\//.test(name))).toEqual([]);
});

test.runIf(canStandIn)('what was built runs a program', async () => {
  const pool = await startSessionPool(context);
  try {
    const ended = await driverOf(pool).run({
      argv: ['/bin/sh', '-c', 'id -u; cat'],
      workingDirectory: '/',
      mounts: [],
      environment: {},
      limits: {
        wallMs: 10_000,
        cpuSeconds: 10,
        memoryBytes: 256 << 20,
        processes: 64,
        fileBytes: 1 << 20,
        openFiles: 256,
        outputBytes: 1_000,
        diskBytes: 1 << 20,
      },
      stdin: Buffer.from('given'),
    });
    expect([ended.exitCode, String(ended.stdout)]).toEqual([0, '64251\ngiven']);
  } finally {
    await pool.close();
  }
});
