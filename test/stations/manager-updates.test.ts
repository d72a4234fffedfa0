import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SandboxDriver, SandboxRun } from '../../shared/sandbox/driver.ts';
import { readArchive } from '../../shared/stations/packages/archive.ts';
import { packageLimits } from '../../shared/stations/packages/limits.ts';
import { planSchema } from '../../shared/stations/plan.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { type Done, type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, implement, type Line, plan, validate } from './line.ts';
import { type ByHand, byHand, before as publishedBefore } from './managers-by-hand.ts';
import { published } from './npm-project.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

let jobs: Jobs;
let registry: NpmRegistry;
beforeAll(async () => {
  jobs = openJobs();
  registry = await startNpmRegistry(published);
});
afterAll(async () => {
  await registry.close();
  jobs.remove();
});

type Manager = {
  readonly script: string;
  readonly lockfile: string;
  readonly packageManager: string;
  readonly install: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly form: string;
  readonly prepare: readonly string[];
};

const pnpm = (script: string, packageManager: string, form: string): Manager => ({
  script,
  lockfile: 'pnpm-lock.yaml',
  packageManager,
  install: ['install', '--lockfile-only', '--no-frozen-lockfile'],
  settings: { 'pnpm-workspace.yaml': "packages: ['packages/*']\n" },
  form,
  prepare: ['pnpm', 'install', '--frozen-lockfile'],
});
const yarn = (script: string, packageManager: string, form: string): Manager => ({
  script,
  lockfile: 'yarn.lock',
  packageManager,
  install: ['install', '--ignore-scripts'],
  settings: {},
  form,
  prepare: ['yarn', 'install', '--frozen-lockfile'],
});
const berry = (script: string, packageManager: string, form: string): Manager => ({
  ...yarn(script, packageManager, form),
  install: ['install', '--mode=update-lockfile'],
  // A release and a plug-in of the repository's own that would show themselves by failing.
  settings: { '.yarnrc.yml': 'nodeLinker: node-modules\nyarnPath: ./absent.cjs\n' },
  prepare: ['yarn', 'install', '--immutable'],
});

const managers: Readonly<Record<string, Manager>> = {
  'pnpm 8': pnpm('pnpm-8/bin/pnpm.cjs', 'pnpm@8.15.9', "lockfileVersion: '6.0'"),
  'pnpm 9': pnpm('pnpm-9/bin/pnpm.cjs', 'pnpm@9.12.0', "lockfileVersion: '9.0'"),
  'pnpm 10': pnpm('pnpm/bin/pnpm.cjs', 'pnpm@10.4.1', "lockfileVersion: '9.0'"),
  'pnpm 11': pnpm('pnpm-11/bin/pnpm.mjs', 'pnpm@11.19.0', "lockfileVersion: '9.0'"),
  'yarn 1': yarn('yarn/bin/yarn.js', 'yarn@1.22.19', '# yarn lockfile v1'),
  'yarn 3': berry('yarn-3/bin/yarn.js', 'yarn@3.6.0', '__metadata:\n  version: 6'),
  'yarn 4.9': berry('yarn-4/bin/yarn.js', 'yarn@4.9.0', '__metadata:\n  version: 8'),
  'yarn 4.18': berry('@yarnpkg/cli-dist/bin/yarn.js', 'yarn@4.18.0', '__metadata:\n  version: 10'),
};

type Manifests = Readonly<Record<string, string>>;
/** Tabs, no newline at the end, and an install script that must not run. */
const manifests = (manager: Manager, own: string, aliased: string, more: object = {}): Manifests => ({
  'package.json': JSON.stringify(
    {
      name: 'app',
      version: '1.0.0',
      private: true,
      packageManager: manager.packageManager,
      workspaces: ['packages/*'],
      scripts: { preinstall: 'echo ran > ran', postinstall: 'echo ran > ran' },
      dependencies: { twin: `npm:left@${aliased}`, ...more },
    },
    null,
    '\t',
  ),
  'packages/a/package.json': `${JSON.stringify({ name: 'a', version: '1.0.0', dependencies: { left: own, top: '^1.0.0' } })}\n`,
});

let repositories = 0;
const folder = (): string => {
  repositories += 1;
  return join(jobs.directory, `by-hand-${repositories}`);
};

/** A repository as its manager left it when nothing newer than 1.0.0 was published, and its folder. */
async function seeded(manager: Manager, files: Manifests): Promise<{ files: Manifests; hand: ByHand }> {
  const done = [await publishedBefore(registry, 'left', ['1.0.0']), await publishedBefore(registry, 'top', ['1.0.0'])];
  const hand = byHand(folder(), manager.script, registry);
  const all = { ...files, ...manager.settings };
  hand.write(manager.lockfile === 'yarn.lock' ? { ...all, 'yarn.lock': '', 'absent.cjs': '' } : all);
  await hand.run(...manager.install);
  for (const each of done) each();
  return { hand, files: { ...all, [manager.lockfile]: hand.read(manager.lockfile) } };
}

/** What people do: the manifests by an editor, and then whatever else holds the old version. */
async function movedByHand(manager: Manager, hand: ByHand, edited: Manifests): Promise<string> {
  hand.write(edited);
  await hand.run(...manager.install);
  if (manager.lockfile === 'pnpm-lock.yaml')
    await hand.run('update', '--recursive', '--depth', 'Infinity', '--no-save', '--lockfile-only', 'left', 'twin');
  else {
    const stale = /^"?left@[^\n]*:\n {2}version:? "?1\.0\.0"?\n(?: .*\n)+\n?/m;
    hand.write({ 'yarn.lock': hand.read('yarn.lock').replace(stale, '') });
    await hand.run(...manager.install);
  }
  return hand.read(manager.lockfile);
}

const check = {
  name: 'unit',
  kind: 'unit',
  command: ['node', '-e', "if (require('twin').two() !== 2 || require('./packages/a').two() !== 2) process.exit(1)"],
};

async function lineFor(manager: Manager, files: Files, range: string, name = 'left'): Promise<Line> {
  repositories += 1;
  const repository = join(jobs.directory, `app-${repositories}.git`);
  const source = await bundleSource(
    jobs,
    repository,
    await commitFiles(repository, { ...files, 'packages/a/index.js': "module.exports = require('left');\n" }),
  );
  return {
    jobs,
    driver,
    source,
    registry: registry.url,
    declaration: declarationOf({ prepare: manager.prepare, checks: [check] }),
    packet: packetOf({ name: 'dependency-update', ecosystem: 'npm', package: name, range }),
  };
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;

/** Files that the packages job computed. */
async function targetOf(done: Done): Promise<Readonly<Record<string, string>>> {
  for await (const { name, bytes } of readArchive(done.outputs['packages']!, { fileBytes: 1e7, totalBytes: 1e8 }))
    if (name === 'target.json') return (JSON.parse(bytes.toString()) as { files: Record<string, string> }).files;
  return {};
}

const asked = async (manager: Manager, files: Files, range = '>=1.1 <2') =>
  (await fetchPackages(await lineFor(manager, files, range))).outcome;

describe.skipIf(noSandbox)('a dependency update', () => {
  test.each(Object.entries(managers))(
    'by %s writes the lockfile that the manager writes by hand, and of the manifests the version alone',
    async (_, manager) => {
      const { files, hand } = await seeded(manager, manifests(manager, '~1.0.0', '^1.0.0'));
      expect(files[manager.lockfile]).toContain(manager.form);
      const from = registry.requests.length;
      const done = await fetchPackages(await lineFor(manager, files, '>=1.1 <2'));
      expect(done.failure).toBeUndefined();
      expect(done.outcome).toMatchObject({ verdict: 'ok' });
      const edited = manifests(manager, '~1.2.0', '^1.2.0');
      const target = await targetOf(done);
      expect(target).toEqual({ ...edited, [manager.lockfile]: target[manager.lockfile] });
      // Nothing but packages of the registry was asked for, and what is locked once: no manager wants its bytes, but pnpm 8 those of
      // what it moves.
      const requests = registry.requests.slice(from);
      expect(requests.join('\n')).toMatch(/^(?:GET (?:left|top)(?:\/-\/\w+-[\d.]+\.tgz)?\n?)+$/);
      expect(requests.filter((each) => /-1\.0\.0\.tgz$/.test(each)).sort()).toEqual([
        'GET left/-/left-1.0.0.tgz',
        ...Array(manager === managers['pnpm 8'] ? 2 : 1).fill('GET top/-/top-1.0.0.tgz'),
      ]);
      expect(target[manager.lockfile]).toBe(await movedByHand(manager, hand, edited));
    },
  );

  test.each(['pnpm 10', 'yarn 1', 'yarn 4.9'] as const)('by %s is verified like any other', async (name) => {
    const manager = managers[name]!;
    const { files } = await seeded(manager, manifests(manager, '~1.0.0', '^1.0.0'));
    const line = await lineFor(manager, files, '>=1.1 <2');
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    expect(claims(before).line).toMatchObject({ versionsBefore: ['1.0.0'] });
    const planned = await plan(line, before, packages);
    expect(planned.outcome).toMatchObject({ verdict: 'ok', facts: { versionChange: 'minor' } });
    expect(planSchema.parse(planned.json('plan')).decisions).toEqual([
      expect.stringContaining(`${manager.lockfile} does not tell which packages run a script`),
    ]);
    const change = await implement(line, planned, packages);
    expect(change.outcome).toMatchObject({
      facts: { stationVersion: expect.stringMatching(/ with (?:pnpm 10|yarn 1|yarn 4)\.\d+\.\d+$/) },
    });
    const judged = await validate(line, before, change, packages);
    expect(judged.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(judged).line).toMatchObject({ versionsAfter: ['1.2.0'], moved: { total: 1 } });
  });

  test.each(['pnpm 9', 'yarn 1', 'yarn 4.9'] as const)(
    'by %s that another package holds back says who, and never goes past the range',
    async (name) => {
      const manager = managers[name]!;
      const { files } = await seeded(manager, manifests(manager, '^1.0.0', '^1.0.0', { right: '^1.0.0' }));
      expect(await asked(manager, files)).toMatchObject({
        verdict: 'needs_human',
        summary: 'PACKAGES-NOT-IN-RANGE',
        question: expect.stringContaining('held by right@1.0.0 (asks for left@~1.0.0)'),
      });
    },
  );

  test('changes the line of a catalog, in its quotes, and no other byte of the settings', async () => {
    const settings =
      'packages: [\'packages/*\']\r\n# the one place\r\ncatalog:\r\n  left:   "^1.0.0" # kept\r\n  top: ^1.0.0\r\n';
    const manager = { ...managers['pnpm 10']!, settings: { 'pnpm-workspace.yaml': settings } };
    const { files } = await seeded(manager, manifests(manager, 'catalog:', '1.0.0'));
    const done = await fetchPackages(await lineFor(manager, files, '>=1.1 <2'));
    const target = await targetOf(done);
    expect(target['pnpm-workspace.yaml']).toBe(settings.replace('left:   "^1.0.0"', 'left:   "^1.2.0"'));
    expect(Object.keys(target).sort()).toEqual(['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']);
    expect(target['pnpm-lock.yaml']).not.toContain('1.0.0(');
  });

  test('has a cache on disk, of a stated size, that is gone with the update', async () => {
    const runs: SandboxRun[] = [];
    const noted: SandboxDriver = {
      ...driver,
      run: (run) => {
        runs.push(run);
        return driver.run(run);
      },
    };
    const manager = managers['yarn 1']!;
    const { files } = await seeded(manager, manifests(manager, '~1.0.0', '^1.0.0'));
    const done = await fetchPackages({ ...(await lineFor(manager, files, '>=1.1 <2')), driver: noted });
    expect(done.outcome).toMatchObject({ verdict: 'ok' });
    const caches = runs.flatMap(({ mounts }) => mounts.filter(({ target }) => target === '/factory/cache'));
    expect(caches).toMatchObject(runs.map(() => ({ mode: 'read-write', source: caches[0]?.source })));
    expect(runs[0]?.environment['YARN_CACHE_FOLDER']).toBe('/factory/cache');
    expect(runs[0]?.limits.diskBytes).toBe(packageLimits.resolveBytes);
    expect(existsSync(caches[0]?.source ?? '')).toBe(false);
  });

  test('that is stopped while the manager runs leaves nothing behind, and is the same when it is made again', async () => {
    const manager = managers['yarn 4.9']!;
    const { files } = await seeded(manager, manifests(manager, '~1.0.0', '^1.0.0'));
    const line = await lineFor(manager, files, '>=1.1 <2');
    const stop = new AbortController();
    const asksAll = registry.requests.length + 3;
    const running = fetchPackages(line, stop.signal);
    const watch = setInterval(() => registry.requests.length >= asksAll && stop.abort(), 5);
    const stopped = await running;
    clearInterval(watch);
    expect(stopped.failure).toMatchObject({ kind: 'cancelled' });
    expect(stopped.outputs).toEqual({});
    const first = await fetchPackages(line);
    const second = await fetchPackages(line);
    expect(await targetOf(first)).toEqual(await targetOf(second));
    expect(first.outcome).toMatchObject({ verdict: 'ok' });
  });

  test('is asked about where no release of the repository is at hand, or code of it would decide', async () => {
    const manager = managers['pnpm 10']!;
    const { files } = await seeded(manager, manifests(manager, '~1.0.0', '^1.0.0'));
    const lockfile = files['pnpm-lock.yaml'] ?? '';
    const named = (packageManager: string) => ({
      ...files,
      'package.json': (files['package.json'] ?? '').replace('pnpm@10.4.1', packageManager),
    });
    expect(await asked(manager, named('pnpm@12.1.0'))).toMatchObject({
      summary: 'PACKAGES-MANAGER',
      question: expect.stringContaining(
        'package.json names pnpm@12.1.0 (packageManager), and pnpm-lock.yaml is of version 9.0',
      ),
    });
    expect(await asked(manager, named('npm@11.0.0'))).toMatchObject({ summary: 'PACKAGES-MANAGER' });
    const hooked = `${lockfile.replace('importers:', 'pnpmfileChecksum: abc\n\nimporters:')}`;
    expect(await asked(manager, { ...files, 'pnpm-lock.yaml': hooked })).toMatchObject({ summary: 'PACKAGES-HOOKS' });
    expect(await asked(manager, files, '^1.0.0')).toMatchObject({ verdict: 'ok' });
  });
});
