import { describe, expect, test } from 'vitest';
import { makeChange } from './change.ts';
import { baseline, fetchPackages, validate } from './line.ts';
import { claims, decisions, ended, useNpmLine } from './npm-line.ts';
import { npmProject } from './npm-project.ts';
import type { Files } from './repository.ts';
import { noSandbox } from './sandbox.ts';

const npm = useNpmLine();
const held = 'left@1.0.0 held by right@1.0.0 (asks for left@~1.0.0)';

/** The root asks for `left`, and `right` holds it at ~1.0.0: one copy serves both, or each has its own. */
function sharing(own = '1.0.0', range = '^1.0.0', more: object = {}): Files {
  const dependencies = { left: range, right: '^1.0.0', ...more };
  const locked = (name: string, version: string, of: object = {}) => ({
    version,
    resolved: npm.registry.tarballUrl(name, version),
    integrity: npm.registry.integrity(name, version),
    ...of,
  });
  return npmProject(npm.registry, {
    manifest: { dependencies },
    locked: {
      'node_modules/left': locked('left', own),
      'node_modules/right': locked('right', '1.0.0', { dependencies: { left: '~1.0.0' } }),
      ...(own === '1.0.0' ? {} : { 'node_modules/right/node_modules/left': locked('left', '1.0.0') }),
    },
  });
}

describe.skipIf(noSandbox)('an update of the copies that the manifests ask for themselves', () => {
  test('is proved of them, and names the copies that others hold in plan, receipt and risk', async () => {
    const { line } = await npm.lineFor(sharing(), { line: { copies: 'direct' } });
    const { before, planned, change, judged } = await ended(line);
    expect(claims(before).line).toMatchObject({ copies: 'direct', versionsBefore: ['1.0.0'] });
    const concerns = [{ kind: 'copies_outside', detail: held }];
    expect(planned.outcome).toMatchObject({ verdict: 'ok', facts: { versionChange: 'minor', concerns } });
    expect(decisions(planned)).toEqual([`Outside of >=1.1 <2 stay ${held}: is that known and wanted?`]);
    expect(change.text('diff')).toContain('+    "left": "^1.2.0"');
    expect(judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: { versionChange: 'minor', concerns: expect.arrayContaining(concerns) },
    });
    expect(claims(judged)).toMatchObject({
      line: { copies: 'direct', versionsAfter: ['1.2.0'], left: { total: 1, inWords: held } },
      notVerified: expect.arrayContaining([expect.stringContaining(held)]),
    });
  });

  test('is the way out that is named where every copy can not be moved', async () => {
    const { line } = await npm.lineFor(sharing());
    expect((await fetchPackages(line)).outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'PACKAGES-NOT-IN-RANGE',
      question: expect.stringMatching(/is held by right@1\.0\.0 .* submit again with line\.copies: direct/),
    });
  });

  test('is true already by direct copies alone, and says which others are outside', async () => {
    const { line } = await npm.lineFor(sharing('1.2.0'), { line: { copies: 'direct' } });
    expect((await fetchPackages(line)).outcome).toMatchObject({ verdict: 'ok' });
    const because = `the 1 copies of left that the manifests ask for themselves are locked to 1.2.0`;
    const { outcome } = await baseline(line);
    expect(outcome).toMatchObject({ verdict: 'already_true', summary: expect.stringContaining(because) });
    expect(outcome?.summary).toContain(`outside stay, as line.copies is direct: ${held}`);
  });

  test('asks where no manifest asks for it, or the lockfile does not say what a manifest gets', async () => {
    const transitive = await npm.lineFor(
      npmProject(npm.registry, {
        manifest: { dependencies: { top: '^1.0.0' } },
        locked: { 'node_modules/top': { version: '1.0.0', dependencies: { left: '^1.0.0' } } },
      }),
      { line: { copies: 'direct' } },
    );
    for (const done of [await fetchPackages(transitive.line), await baseline(transitive.line)])
      expect(done.outcome).toMatchObject({ verdict: 'needs_human', summary: 'COPIES-NOT-DIRECT' });
    const files = sharing('1.2.0');
    const more = JSON.parse(`${files['package.json']}`) as { dependencies: Record<string, string> };
    more.dependencies['twin'] = 'npm:left@^1.0.0';
    const stale = await npm.lineFor({ ...files, 'package.json': JSON.stringify(more) }, { line: { copies: 'direct' } });
    expect((await baseline(stale.line)).outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'LOCKFILE-STALE',
      question: expect.stringContaining('package.json asks for twin'),
    });
  });

  test('by which a manifest that still leads to a copy outside is invalid, and one that asks no more', async () => {
    const { line, repository, commit } = await npm.lineFor(sharing(), { line: { copies: 'direct' } });
    const packages = await fetchPackages(line);
    const before = await baseline(line, packages);
    const judge = async (files: Files) =>
      (await validate(line, before, await makeChange(npm.jobs, repository, commit, files), packages)).outcome;
    expect(await judge(sharing('1.0.0', '>=1.0.0'))).toMatchObject({
      verdict: 'invalid',
      summary: expect.stringContaining('left is locked to 1.0.0, outside >=1.1 <2'),
    });
    const { dependencies: _, ...rest } = JSON.parse(`${sharing()['package.json']}`) as Record<string, unknown>;
    const without = { ...rest, dependencies: { right: '^1.0.0' } };
    expect(await judge({ 'package.json': `${JSON.stringify(without, null, 2)}\n` })).toMatchObject({
      verdict: 'invalid',
      summary: expect.stringContaining('dependencies.left in package.json is taken out'),
    });
  });

  test('is all that is judged without a lockfile: the ranges are proved, and what was tested is told', async () => {
    const { 'package-lock.json': _, ...files } = sharing();
    const { line } = await npm.lineFor(files);
    const { planned, judged } = await ended(line);
    expect(planned.outcome).toMatchObject({ verdict: 'ok', facts: { versionChange: 'minor' } });
    expect(judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: {
        versionChange: 'minor',
        concerns: expect.arrayContaining([
          expect.objectContaining({
            kind: 'unlocked_packages',
            detail: expect.stringContaining('tested with left 1.2.0'),
          }),
          { kind: 'copies_outside', detail: held },
        ]),
      },
    });
    expect(claims(judged).line).toMatchObject({
      versionsAfter: [],
      manifestRanges: ['^1.2.0'],
      resolvedVersions: ['1.2.0'],
      left: { total: 1 },
    });
  });
});
