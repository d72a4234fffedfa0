import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeChange } from './change.ts';
import { type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, type Line, validate } from './line.ts';
import { npmProject, published } from './npm-project.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

let jobs: Jobs;
let registry: NpmRegistry;
beforeEach(async () => {
  jobs = openJobs();
  registry = await startNpmRegistry(published);
});
afterEach(async () => {
  await registry.close();
  jobs.remove();
});

const install = ['npm', 'ci', '--no-audit', '--no-fund'];

async function lineFor(base: Files, changed: Files, prepare: readonly string[]) {
  const repository = join(jobs.directory, 'app.git');
  const commit = await commitFiles(repository, base);
  const made = await makeChange(jobs, repository, commit, changed);
  const line: Line = {
    jobs,
    driver,
    source: await bundleSource(jobs, repository, commit),
    registry: registry.url,
    declaration: declarationOf({ prepare }),
    packet: packetOf({ name: 'patch', patch: made.patch }),
  };
  return { line, made };
}

/** All of the line that runs anything, for a change of a repository that is prepared by npm. */
async function judged(base: Files, changed: Files, answers: Parameters<NpmRegistry['answers']['set']>[] = []) {
  for (const [path, answer] of answers) registry.answers.set(path, answer);
  const { line, made } = await lineFor(base, changed, install);
  const packages = await fetchPackages(line);
  const before = await baseline(line, packages);
  expect(before.outcome).toMatchObject({ verdict: 'not_required' });
  return { packages, done: await validate(line, before, made, packages) };
}

/** The project with `scripted` besides, and code that requires it. */
function withScripted(): Files {
  return npmProject(registry, {
    manifest: { dependencies: { left: '^1.0.0', scripted: '1.0.0' } },
    locked: {
      'node_modules/scripted': {
        version: '1.0.0',
        resolved: registry.tarballUrl('scripted', '1.0.0'),
        integrity: registry.integrity('scripted', '1.0.0'),
      },
    },
    files: { 'index.js': "import left from 'left';\nimport 'scripted';\nexport const sum = () => left.one();\n" },
  });
}

describe.skipIf(noSandbox)('a patch that brings a package', () => {
  test('is prepared with it', async () => {
    const { done } = await judged(npmProject(registry), withScripted());
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(registry.requests).toEqual(['GET left/-/left-1.0.0.tgz', 'GET scripted/-/scripted-1.0.0.tgz']);
  });

  test('is prepared with it where there is no lockfile', async () => {
    const { 'package-lock.json': _, ...base } = npmProject(registry);
    const { 'package-lock.json': __, ...changed } = withScripted();
    const { done } = await judged(base, changed);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
  });

  test('that the registry does not have is not judged, and no fault of the change', async () => {
    const { packages, done } = await judged(npmProject(registry), withScripted(), [
      ['scripted/-/scripted-1.0.0.tgz', { status: 404 }],
    ]);
    expect(packages.outcome).toMatchObject({
      verdict: 'ok',
      unknowns: [expect.stringContaining('scripted@1.0.0')],
      facts: { concerns: [{ kind: 'packages_missing' }] },
    });
    expect(done.failure).toMatchObject({
      kind: 'needs_human',
      code: 'PACKAGES-MISSING',
      question: expect.stringContaining('scripted@1.0.0 (the registry answered 404 for it)'),
    });
  });

  test('and leaves the lockfile behind is invalid, and the lockfile is named', async () => {
    const { 'package-lock.json': _, ...changed } = withScripted();
    const { done } = await judged(npmProject(registry), changed);
    expect(done.outcome).toMatchObject({
      verdict: 'invalid',
      summary: expect.stringContaining('package.json asks for it, and package-lock.json has nothing for it'),
    });
  });
});

describe.skipIf(noSandbox)('a prepare command that fails on the base', () => {
  test('is a question with its last lines, and is not tried again', async () => {
    const prepare = ['node', '-e', "console.error('gyp ERR! no headers'); process.exit(7)"];
    const { line } = await lineFor(npmProject(registry), { 'README.md': 'read\n' }, prepare);
    const done = await baseline(line, await fetchPackages(line));
    expect(done.failure).toMatchObject({ kind: 'needs_human', code: 'PREPARE-FAILED' });
    expect(JSON.stringify(done.failure)).toMatch(/ended with 7 .*gyp ERR! no headers.*Correct the prepare command/);
  });
  test('for want of what a stale lockfile does not name: the question of the check that did not run names it', async () => {
    const { 'package-lock.json': lockfile = '' } = npmProject(registry);
    const base = { ...withScripted(), 'package-lock.json': lockfile };
    const { line } = await lineFor(base, { 'README.md': 'read\n' }, install);
    const checks = [{ name: 'unit', kind: 'unit', command: ['scripted', 'run'] }];
    const runner: Line = { ...line, declaration: declarationOf({ prepare: install, checks }) };
    const done = await baseline(runner, await fetchPackages(runner));
    expect(done.outcome).toMatchObject({
      verdict: 'did_not_run',
      question: expect.stringMatching(
        /^The prepare command failed, as packages could not be had: scripted@1\.0\.0 \(package\.json asks for it, and package-lock\.json has nothing for it: bring it up to date\)\. The check unit did not run/,
      ),
    });
  });
});
