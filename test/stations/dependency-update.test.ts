import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planSchema } from '../../shared/stations/plan.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { makeChange } from './change.ts';
import { type Done, type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, implement, type Line, plan, validate } from './line.ts';
import { npmProject, published } from './npm-project.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { declarationOf, packetOf, unitCheck } from './packets.ts';
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

let repositories = 0;
const prepare = ['npm', 'ci', '--offline', '--no-audit', '--no-fund'];

async function lineFor(files: Files, range: string, name = 'left', checks: readonly unknown[] = []) {
  repositories += 1;
  const repository = join(jobs.directory, `app-${repositories}.git`);
  const commit = await commitFiles(repository, files);
  const source = await bundleSource(jobs, repository, commit);
  const packet = packetOf({ name: 'dependency-update', ecosystem: 'npm', package: name, range });
  const line: Line = {
    jobs,
    driver,
    source,
    registry: registry.url,
    declaration: declarationOf({ prepare, checks }),
    packet,
  };
  return { line, repository, commit };
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;

describe.skipIf(noSandbox)('a dependency update', () => {
  test('moves manifest and lockfile into the range, offline from then on', async () => {
    // A repository's own .npmrc must not steer the fetching.
    const { line } = await lineFor(
      npmProject(registry, { files: { '.npmrc': 'registry=http://127.0.0.1:1/\n//127.0.0.1:1/:_authToken=x\n' } }),
      '>=1.1 <2',
      'left',
      [unitCheck],
    );
    const packages = await fetchPackages(line);
    expect(packages.outcome).toMatchObject({ verdict: 'ok' });
    const again = await fetchPackages(line);
    expect(readFileSync(again.outputs['packages']!).equals(readFileSync(packages.outputs['packages']!))).toBe(true);

    const asked = registry.requests.length;
    const before = await baseline(line, packages);
    expect(before.outcome).toMatchObject({ verdict: 'not_required', facts: { count: 1 } });
    const planned = await plan(line, before, packages);
    expect(planned.outcome).toMatchObject({
      verdict: 'ok',
      facts: { versionChange: 'minor', importers: 1, manifests: ['package.json', 'package-lock.json'] },
    });
    expect(planSchema.parse(planned.json('plan')).importers).toEqual(['index.js']);
    const change = await implement(line, planned, packages);
    expect(change.outcome).toMatchObject({
      facts: { stationVersion: expect.stringMatching(/^\S+ with npm \d+\.\d+\.\d+$/) },
    });
    expect(change.text('diff')).toContain('+    "left": "^1.2.0"');
    const judged = await validate(line, before, change, packages);
    expect(judged.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(judged).line).toMatchObject({ versionsBefore: ['1.0.0'], versionsAfter: ['1.2.0'] });
    expect(registry.requests).toHaveLength(asked);
  });

  test('works where the lockfile keeps no addresses, and keeps it so', async () => {
    const locked = { 'node_modules/left': { version: '1.0.0', integrity: registry.integrity('left', '1.0.0') } };
    const { line } = await lineFor(npmProject(registry, { locked }), '>=1.1 <2');
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    expect(before.outcome).toMatchObject({ verdict: 'not_required' });
    const change = await implement(line, await plan(line, before, packages), packages);
    expect(change.text('diff')).not.toContain('resolved');
  });

  test("keeps the addresses of the repository's own registry, and says where a new version runs a script at install", async () => {
    const home = 'https://registry.invalid/npm/';
    const locked = {
      'node_modules/left': {
        version: '1.0.0',
        resolved: `${home}left/-/left-1.0.0.tgz`,
        integrity: registry.integrity('left', '1.0.0'),
      },
      'node_modules/scripted': {
        version: '1.0.0',
        resolved: `${home}scripted/-/scripted-1.0.0.tgz`,
        integrity: registry.integrity('scripted', '1.0.0'),
      },
    };
    const manifest = { dependencies: { left: '^1.0.0', scripted: '^1.0.0' } };
    const { line } = await lineFor(npmProject(registry, { manifest, locked }), '^1.1.0', 'scripted');
    const packages = await fetchPackages(line);
    const planned = await plan(line, packages, packages);
    expect(planSchema.parse(planned.json('plan')).decisions).toEqual([
      expect.stringContaining('scripted@1.1.0 runs a script'),
    ]);
    const change = await implement(line, planned, packages);
    expect(change.text('diff')).toContain(`+      "resolved": "${home}scripted/-/scripted-1.1.0.tgz"`);
    expect(change.text('diff')).not.toContain(registry.url);
  });

  test('is already true, or not applicable, without a question to the registry', async () => {
    const inside = await lineFor(npmProject(registry), '^1.0.0');
    expect((await baseline(inside.line, await fetchPackages(inside.line))).outcome).toMatchObject({
      verdict: 'already_true',
    });
    const absent = await lineFor(npmProject(registry), '^1.0.0', 'absent');
    const asked = registry.requests.length;
    expect((await fetchPackages(absent.line)).outcome).toMatchObject({ verdict: 'not_applicable' });
    expect((await baseline(absent.line)).outcome).toMatchObject({ verdict: 'not_applicable' });
    expect(registry.requests).toHaveLength(asked);
  });

  test.each<[string, string, (of: NpmRegistry) => Files]>([
    ['no lockfile', 'LOCKFILE-MISSING', () => ({ 'package.json': '{}' })],
    ['no manifest', 'MANIFEST-MISSING', () => ({ 'README.md': '' })],
    ['another lockfile version', 'LOCKFILE-VERSION', (of) => npmProject(of, { lockfile: { lockfileVersion: 1 } })],
  ])('of a repository with %s asks a person', async (_, code, files) => {
    const { line } = await lineFor(files(registry), '>=1.1 <2');
    expect((await baseline(line)).outcome).toMatchObject({ verdict: 'needs_human', summary: code });
  });

  test('asks a person where the public interface can not be derived', async () => {
    const { line } = await lineFor(
      npmProject(registry, { files: { 'index.js': "throw new Error('needs a database');\n" } }),
      '>=1.1 <2',
    );
    const done = await baseline(line, await fetchPackages(line));
    expect(done.outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'UNDERIVABLE-API',
      question: expect.stringContaining('needs a database'),
    });
  });

  test('that changes what the package offers is invalid', async () => {
    const { line } = await lineFor(
      npmProject(registry, { files: { 'index.js': "export * from 'left';\nexport const sum = () => 1;\n" } }),
      '>=1.1 <2',
    );
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const judged = await validate(
      line,
      before,
      await implement(line, await plan(line, before, packages), packages),
      packages,
    );
    expect(judged.outcome).toMatchObject({ verdict: 'invalid', summary: expect.stringContaining('offers to others') });
  });

  test('that breaks a test is invalid', async () => {
    const { line } = await lineFor(npmProject(registry), '>=2', 'left', [unitCheck]);
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const planned = await plan(line, before, packages);
    expect(planned.outcome).toMatchObject({ facts: { versionChange: 'major' } });
    const judged = await validate(line, before, await implement(line, planned, packages), packages);
    expect(judged.outcome).toMatchObject({ verdict: 'invalid', summary: expect.stringContaining('check unit') });
  });

  test("whose lockfile does not fit its manifest is the change's fault", async () => {
    const { line, repository, commit } = await lineFor(npmProject(registry), '>=1.1 <2');
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const locked = {
      'node_modules/left': {
        version: '1.2.0',
        resolved: registry.tarballUrl('left', '1.2.0'),
        integrity: registry.integrity('left', '1.2.0'),
      },
    };
    const { 'package-lock.json': lockfile = '' } = npmProject(registry, { locked });
    const { 'package.json': manifest = '' } = npmProject(registry, { manifest: { dependencies: { left: '^2.0.0' } } });
    const made = await makeChange(jobs, repository, commit, {
      'package.json': manifest,
      'package-lock.json': lockfile,
    });
    const judged = await validate(line, before, made, packages);
    expect(judged.outcome).toMatchObject({
      verdict: 'invalid',
      summary: expect.stringContaining('prepare command fails'),
    });
    expect(judged.text('log')).toContain('npm error');
  });

  test('with more than manifest and lockfile in it is invalid', async () => {
    const { line, repository, commit } = await lineFor(npmProject(registry), '>=1.1 <2');
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const judged = await validate(
      line,
      before,
      await makeChange(jobs, repository, commit, { 'index.js': 'export const sum = () => 1;\n' }),
      packages,
    );
    expect(judged.outcome).toMatchObject({ verdict: 'invalid' });
    expect(judged.outcome!.summary).toContain('index.js changes, which is no part of an update');
    expect(judged.outcome!.summary).toContain('outside >=1.1 <2');
  });

  test('that other packages hold back asks a person', async () => {
    const locked = {
      'node_modules/right': {
        version: '1.0.0',
        resolved: registry.tarballUrl('right', '1.0.0'),
        integrity: registry.integrity('right', '1.0.0'),
        dependencies: { left: '~1.0.0' },
      },
    };
    const { line } = await lineFor(
      npmProject(registry, { manifest: { dependencies: { right: '^1.0.0' } }, locked }),
      '>=1.1 <2',
    );
    expect((await fetchPackages(line)).outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'PACKAGES-NOT-IN-RANGE',
      question: expect.stringContaining(
        'left@1.0.0 at node_modules/left is held by right@1.0.0 (asks for left@~1.0.0)',
      ),
    });
  });

  test('leaves alone what its package alone required and still does', async () => {
    const dependencies = { pair: '^1.0.0' };
    const at = (name: string) => ({ version: '1.0.0', integrity: registry.integrity(name, '1.0.0') });
    const files = npmProject(registry, {
      manifest: { dependencies },
      lockfile: {
        packages: {
          '': { name: 'app', version: '1.0.0', dependencies },
          'node_modules/left': at('left'),
          'node_modules/pair': { ...at('pair'), dependencies: { left: '^1.0.0' } },
        },
      },
    });
    const { line } = await lineFor(files, '^1.1.0', 'pair');
    const packages = await fetchPackages(line);
    const change = await implement(line, await plan(line, packages, packages), packages);
    expect(change.text('diff')).toContain('+      "version": "1.1.0"');
    expect(change.text('diff')).not.toContain('left-1.2.0');
    expect(change.text('diff')).not.toContain('"version": "1.2.0"');
  });

  test('of a range that nothing is published in says so, and blames no package', async () => {
    const { line } = await lineFor(npmProject(registry), '>=9');
    expect((await fetchPackages(line)).outcome).toMatchObject({
      summary: 'RANGE-EMPTY',
      question: expect.stringContaining('its newest are 2.0.0, 1.2.0, 1.0.0'),
    });
  });

  /** All the way to the verdict. */
  async function ended(line: Line) {
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const planned = await plan(line, before, packages);
    const change = await implement(line, planned, packages);
    return { before, planned, change, judged: await validate(line, before, change, packages) };
  }

  test('goes on where exports name files nobody built, or a pattern of them, and says what was not compared', async () => {
    const manifest = {
      exports: { '.': './index.js', './built': './dist/built.js', './deep/*': './lib/*', './old/': './lib/' },
    };
    const { line } = await lineFor(npmProject(registry, { manifest }), '>=1.1 <2');
    const { judged } = await ended(line);
    const detail = './dist/built.js is not there after prepare; the files behind ./deep/* of exports were not loaded';
    expect(judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: { concerns: expect.arrayContaining([{ kind: 'interface_unseen', detail }]) },
    });
    expect(claims(judged).notVerified.join()).toContain(detail);
    const demanding = { ...line.packet, mustNotChange: { paths: [], packages: [], publicApi: true } };
    const asked = await baseline({ ...line, packet: demanding }, await fetchPackages(line));
    expect(asked.failure).toMatchObject({ question: expect.stringContaining('./deep/*') });
  });

  test('finds a package behind an alias, keeps the pin, and keeps every other byte of the manifest', async () => {
    const dependencies = { twin: 'npm:left@1.0.0' };
    const left = { name: 'left', version: '1.0.0', integrity: registry.integrity('left', '1.0.0') };
    const files = npmProject(registry, {
      manifest: { dependencies },
      lockfile: {
        packages: { '': { name: 'app', version: '1.0.0', dependencies }, 'node_modules/twin': left },
      },
      files: { 'index.js': "import left from 'twin';\nexport const sum = () => left.one();\n" },
    });
    const manifest = `${files['package.json']}`.trimEnd().replaceAll('\n', '\r\n').replaceAll('  ', '\t');
    const { line, repository } = await lineFor({ ...files, 'package.json': manifest }, '>=1.1 <2');
    const { before, change, judged } = await ended(line);
    expect(claims(before).line).toMatchObject({ versionsBefore: ['1.0.0'] });
    expect(change.text('diff')).toContain('+\t\t"twin": "npm:left@1.2.0"\r\n');
    expect(judged.outcome).toMatchObject({ verdict: 'valid', facts: { versionChange: 'minor' } });
    expect(repository).toBeTruthy();
  });

  test('in a workspace changes the manifest of that workspace and the lockfile', async () => {
    const member = { name: 'a', version: '1.0.0', dependencies: { left: '~1.0.0' } };
    const files = npmProject(registry, {
      manifest: { workspaces: ['packages/*'], dependencies: {} },
      lockfile: {
        lockfileVersion: 2,
        packages: {
          '': { name: 'app', version: '1.0.0', workspaces: ['packages/*'] },
          'node_modules/a': { resolved: 'packages/a', link: true },
          'node_modules/left': { version: '1.0.0', integrity: registry.integrity('left', '1.0.0') },
          'packages/a': member,
        },
      },
      files: {
        'packages/a/package.json': `${JSON.stringify(member)}\n`,
        'packages/a/index.js': "module.exports = require('left');\n",
        'index.js': "export { default as a } from 'a';\n",
        'test/sum.test.js': '',
      },
    });
    const { line } = await lineFor(files, '>=1.1 <2');
    const { change, judged } = await ended(line);
    expect(change.text('diff')).toContain('+{"name":"a","version":"1.0.0","dependencies":{"left":"~1.2.0"}}');
    expect(change.text('diff')).not.toContain('a/package.json b/package.json');
    expect(change.text('diff')).not.toContain('lockfileVersion');
    expect(judged.outcome).toMatchObject({ verdict: 'valid' });
  });

  test('that takes others along by a major step is out of scope, before and after it is made, unless the packet allows it', async () => {
    const dependencies = { top: '^1.0.0' };
    const at = (name: string) => ({ version: '1.0.0', integrity: registry.integrity(name, '1.0.0') });
    const files = npmProject(registry, {
      manifest: { dependencies },
      lockfile: {
        packages: {
          '': { name: 'app', version: '1.0.0', dependencies },
          'node_modules/top': { ...at('top'), dependencies: { left: '^1.0.0' } },
          'node_modules/left': at('left'),
        },
      },
      files: { 'index.js': 'export const sum = () => 1;\n' },
    });
    const { line } = await lineFor(files, '>=1.1', 'top');
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const planned = await plan(line, before, packages);
    expect(planned.outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'CHANGE-OUT-OF-SCOPE',
      question: expect.stringContaining('left 1.0.0 → 2.0.0 (major) also moves'),
      facts: { versionChange: 'major', concerns: [{ kind: 'packages_moved' }, { kind: 'major_moved' }] },
    });
    const judged = await validate(line, before, await implement(line, planned, packages), packages);
    expect(judged.outcome).toMatchObject({ verdict: 'out_of_scope', question: expect.stringContaining('left 1.0.0') });

    const allowing = {
      ...line,
      packet: packetOf({
        name: 'dependency-update',
        ecosystem: 'npm',
        package: 'top',
        range: '>=1.1',
        mayMove: 'needed',
      }),
    };
    const allowed = await ended(allowing);
    expect(allowed.planned.outcome).toMatchObject({ verdict: 'ok' });
    expect(planSchema.parse(allowed.planned.json('plan')).decisions).toEqual([
      '1 other package(s) move along: left 1.0.0 → 2.0.0 (major).',
    ]);
    expect(allowed.judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: {
        versionChange: 'major',
        concerns: expect.arrayContaining([
          expect.objectContaining({ kind: 'packages_moved' }),
          expect.objectContaining({ kind: 'major_moved' }),
        ]),
      },
    });
    expect(claims(allowed.judged)).toMatchObject({
      line: {
        moved: {
          total: 2,
          mayBreak: 1,
          listed: [
            { name: 'left', from: ['1.0.0'], to: ['2.0.0'], step: 'major', direct: false },
            { name: 'top', step: 'minor', direct: true },
          ],
        },
      },
      notVerified: expect.arrayContaining(['Other packages move along: left 1.0.0 → 2.0.0 (major)']),
    });
    const closed = {
      ...allowing,
      packet: { ...allowing.packet, mustNotChange: { paths: [], packages: ['left'], publicApi: false } },
    };
    const refused = await ended(closed);
    expect(refused.planned.outcome).toMatchObject({ question: expect.stringContaining('mustNotChange.packages') });
    expect(refused.judged.outcome).toMatchObject({ verdict: 'out_of_scope' });
  });

  test("without a lockfile proves the manifest's range at raised risk, and never claims that it is true already", async () => {
    const { 'package-lock.json': _, ...files } = npmProject(registry, { files: { '.npmrc': 'package-lock=false\n' } });
    const { line } = await lineFor(files, '>=1.1 <2', 'left', [unitCheck]);
    const { change, judged } = await ended(line);
    expect(change.text('diff')).toContain('+    "left": "^1.2.0"');
    expect(change.text('diff')).not.toContain('package-lock.json');
    expect(judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: { count: 1, concerns: expect.arrayContaining([expect.objectContaining({ kind: 'unlocked_packages' })]) },
    });
    const claimed = claims(judged);
    expect(claimed.line).toMatchObject({ versionsAfter: [], manifestRanges: ['^1.2.0'] });
    expect(claimed.notVerified.join()).toContain('No lockfile pins the packages');
    for (const range of ['^1.0.0', '>=9']) {
      const inside = await lineFor(files, range, range === '>=9' ? 'absent' : 'left');
      expect((await baseline(inside.line)).outcome).toMatchObject({
        verdict: 'needs_human',
        summary: 'LOCKFILE-MISSING',
      });
    }
  });
});
