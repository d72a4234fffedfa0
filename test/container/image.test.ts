import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const out = mkdtempSync(path.join(tmpdir(), 'image-'));
const context = path.join(out, 'dist', 'container');

type Ended = { readonly code: number; readonly text: string };
const run = (args: readonly string[], cwd: string, settings: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...settings };
    execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` });
    });
  });

beforeAll(async () => {
  const built = await run([path.join(root, 'scripts/build/main.ts'), path.join(out, 'dist')], root);
  if (built.code !== 0) throw new Error(built.text);
  // What the image's first stage installs: the packages at the versions that are tested here.
  symlinkSync(path.join(root, 'node_modules'), path.join(out, 'node_modules'));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

test('the Dockerfile copies what the build made, runs as nobody and lets Node be process 1', () => {
  const lines = readFileSync(path.join(context, 'Dockerfile'), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !line.startsWith('#') && line !== '');
  const of = (instruction: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : []));
  const copied = of('COPY').filter((from) => !from.startsWith('--from='));
  const sources = copied.flatMap((line) => line.split(' ').slice(0, -1));
  expect(sources).toEqual(['package.json', 'package-lock.json', '.']);
  for (const from of sources) expect(existsSync(path.join(context, from))).toBe(true);
  // Every base is the argument, which has no default, so that nobody builds on a tag that moves.
  expect(of('ARG')).toEqual(['BASE']);
  expect(of('FROM').every((base) => /^\$\{BASE\}/.test(base))).toBe(true);
  const entry = JSON.parse(of('ENTRYPOINT')[0]!) as string[];
  expect(entry).toEqual(['node', 'main.js']);
  expect(existsSync(path.join(context, entry[1]!))).toBe(true);
  // The last user is the one that runs; a number, so that a platform can see that it is not root.
  expect(of('USER').at(-1)).toMatch(/^[1-9]\d+:[1-9]\d+$/);
  expect(lines.findLastIndex((line) => line.startsWith('FROM '))).toBeLessThan(
    lines.findIndex((line) => line.startsWith('USER ')),
  );
  expect(lines.join('\n')).not.toMatch(/\b(ADD|curl|wget|sudo|chmod)\b/);
});

test('the manifest names each package at one exact version', () => {
  const { dependencies } = JSON.parse(readFileSync(path.join(context, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  expect(Object.keys(dependencies)).toEqual(
    expect.arrayContaining(['@azure/identity', '@azure/service-bus', 'tedious']),
  );
});

test('its lockfile holds all that npm would install, to the last package', async () => {
  const lockfile = path.join(context, 'package-lock.json');
  const npm = (): Promise<Ended> =>
    new Promise((resolve) => {
      // Offline and dry: whatever is not in the lockfile would have to be looked up.
      const flags = ['ci', '--dry-run', '--offline', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
      const env = { PATH: process.env['PATH'], HOME: out };
      execFile('npm', flags, { cwd: context, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : 1, text: `${stdout}${stderr}` }),
      );
    });
  const text = readFileSync(lockfile, 'utf8');
  expect(await npm()).toMatchObject({ code: 0, text: expect.stringContaining('added ') });
  const { packages, ...rest } = JSON.parse(text) as { packages: Record<string, { integrity?: string }> };
  expect(Object.entries(packages).filter(([place, { integrity }]) => place !== '' && integrity === undefined)).toEqual(
    [],
  );
  // A transitive one left out is found.
  const { 'node_modules/long': _, ...fewer } = packages;
  expect(Object.keys(fewer)).toHaveLength(Object.keys(packages).length - 1);
  writeFileSync(lockfile, JSON.stringify({ ...rest, packages: fewer }));
  const incomplete = await npm();
  writeFileSync(lockfile, text);
  expect(incomplete.code).toBe(1);
});

test('what was built starts by itself: both roles with their tasks, and the migration', async () => {
  expect(await run(['main.js', 'claim'], context)).toEqual({ code: 2, text: 'usage: main.js [work | migrate]\n' });
  const roles = { station: 'build', verifier: 'verify' };
  for (const [role, pool] of Object.entries(roles)) {
    const { code, text } = await run(['main.js'], context, {
      FACTORY_ROLE: role,
      FACTORY_POOL: pool,
      FACTORY_CONTROL_URL: 'https://control.example.org',
      FACTORY_AUDIENCE: '00000000-0000-4000-8000-000000000000',
      FACTORY_DATA: path.join(out, role),
      FACTORY_CONCURRENCY: '1',
      FACTORY_NPM_REGISTRY: 'https://registry.example.com/',
      AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000000',
      FACTORY_CREDENTIAL_FILE: path.join(out, 'absent.json'),
    });
    // It got as far as its settings or its credential: every module that it loads is there.
    expect([role, code, /ERR_MODULE_NOT_FOUND|Cannot find/.test(text)]).toEqual([role, 1, false]);
  }
  const migration = await run(['main.js', 'migrate'], context);
  expect([migration.code, migration.text.includes('FACTORY_SQL_SERVER: is not set')]).toEqual([1, true]);
});

test('every task of a role is in the build, as a container would load them', async () => {
  const { text } = await run(
    [
      '--input-type=module',
      '-e',
      `const { HANDLERS } = await import('./container/handlers.js');
const settings = { sandbox: 'bubblewrap', npmRegistry: 'https://registry.example.com/' };
for (const role of ['station', 'verifier']) console.log(role, Object.keys(await HANDLERS[role](settings)).sort().join(' '));`,
    ],
    context,
  );
  expect(text).toMatch(/^station .*\bimplement\b/m);
  expect(text).toMatch(/^verifier .*\b(baseline|validate)\b/m);
});
