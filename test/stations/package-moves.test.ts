import fc from 'fast-check';
import { satisfies } from 'semver';
import { describe, expect, test } from 'vitest';
import { crossedMoves, moveFacts } from '../../shared/stations/packages/change-of-packages.ts';
import { isInRange, outsideOf } from '../../shared/stations/packages/held-back.ts';
import { copiesOf, isFault, type Lock } from '../../shared/stations/packages/locked.ts';
import { mayBreak, movesBetween, reachedBy } from '../../shared/stations/packages/moves.ts';
import { readNpmLockfile } from '../../shared/stations/packages/npm-lockfile.ts';

const NAMES = ['left', 'right', 'top', '@s/deep'] as const;
const VERSIONS = ['0.9.0', '1.0.0', '1.0.1', '1.2.0', '2.0.0', '2.0.0-rc.1'] as const;
const RANGES = ['>=1.1 <2', '^1.0.0', '>=1', '1.2.0', '^2.0.0 || ^1.2.0', '<1'] as const;

/** One entry of a generated lockfile: where it lies, what it is published as, and what of it is odd. */
type Entry = {
  readonly folder: string;
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly kind: 'plain' | 'aliased' | 'bundled' | 'optional' | 'peer' | 'git';
  readonly wants: readonly string[];
};

const entry = fc.record<Entry>({
  folder: fc.constantFrom('', 'node_modules/top/', 'node_modules/right/node_modules/top/', 'packages/a/'),
  key: fc.constantFrom(...NAMES, 'twin'),
  name: fc.constantFrom(...NAMES),
  version: fc.constantFrom(...VERSIONS),
  kind: fc.constantFrom('plain', 'aliased', 'bundled', 'optional', 'peer', 'git'),
  wants: fc.subarray([...NAMES, 'twin']),
});
const entries = fc.uniqueArray(entry, { selector: ({ folder, key }) => folder + key, maxLength: 12 });

const digestOf = (name: string, version: string): string =>
  `sha512-${Buffer.alloc(64, `${name}${version}`).toString('base64')}`;

function lockfileOf(of: readonly Entry[]): string {
  const packages = of.map(({ folder, key, name, version, kind, wants }) => {
    const published = kind === 'aliased' ? name : key;
    const wanted = Object.fromEntries(wants.map((each) => [each, '*']));
    return [
      `${folder}node_modules/${key}`,
      {
        version,
        ...(published === key ? {} : { name: published }),
        ...(kind === 'git'
          ? { resolved: `git+ssh://git@example.com/${key}.git#1` }
          : { integrity: digestOf(published, version) }),
        ...(kind === 'bundled' ? { inBundle: true } : {}),
        ...(kind === 'optional' ? { optional: true } : {}),
        [kind === 'peer' ? 'peerDependencies' : 'dependencies']: wanted,
      },
    ];
  });
  const root = { name: 'app', dependencies: { left: '*', twin: '*' } };
  const member = of.some(({ folder }) => folder === 'packages/a/')
    ? { 'packages/a': { name: 'a', dependencies: { right: '*' } } }
    : {};
  return JSON.stringify({ lockfileVersion: 3, packages: { '': root, ...member, ...Object.fromEntries(packages) } });
}

function lockOf(of: readonly Entry[]): Lock {
  const lock = readNpmLockfile(lockfileOf(of));
  if (isFault(lock)) throw new Error(lock.question);
  return lock;
}

/** What an install by that key or of that name would bring, read from the generated entries alone. */
const truth = (of: readonly Entry[], name: string): string[] =>
  of
    .filter((each) => each.key === name || (each.kind === 'aliased' ? each.name : each.key) === name)
    .map(({ version }) => version);

const publishedName = ({ key, name, kind }: Entry): string => (kind === 'aliased' ? name : key);

describe('what is claimed of lockfiles, over 1,000 generated ones', () => {
  const runs = { numRuns: 1_000 };

  test('a package is inside a range only when every copy is, by key, by name, nested, bundled or from elsewhere', () => {
    fc.assert(
      fc.property(entries, fc.constantFrom(...NAMES, 'twin'), fc.constantFrom(...RANGES), (of, name, range) => {
        const lock = lockOf(of);
        const versions = truth(of, name);
        expect(isInRange(lock, { name, range })).toBe(
          versions.length > 0 && versions.every((version) => satisfies(version, range)),
        );
        expect(copiesOf(lock, name).length === 0).toBe(versions.length === 0);
        expect(outsideOf(lock, { name, range })).toHaveLength(
          versions.filter((version) => !satisfies(version, range)).length,
        );
      }),
      runs,
    );
  });

  test('every package that came, went or moved is listed, and none that stayed', () => {
    fc.assert(
      fc.property(entries, entries, (old, now) => {
        const moves = movesBetween(lockOf(old), lockOf(now));
        const listed = new Map(moves.map((move) => [move.name, move]));
        for (const name of new Set([...old, ...now].map(publishedName))) {
          const of = (side: readonly Entry[]) => side.filter((each) => publishedName(each) === name);
          const at = (side: readonly Entry[]) =>
            new Map(of(side).map(({ folder, key, version }) => [folder + key, version]));
          const versions = (side: readonly Entry[]) =>
            [...new Set(of(side).map(({ version }) => version))].sort().join();
          const [before, after] = [at(old), at(now)];
          const swapped = [...after].some(([place, version]) => (before.get(place) ?? version) !== version);
          const changed = versions(old) !== versions(now) || swapped;
          if (changed) expect(listed.has(name)).toBe(true);
          else if (listed.has(name)) expect(listed.get(name)?.step).toBe('rebuilt');
        }
        expect(movesBetween(lockOf(old), lockOf(old))).toEqual([]);
      }),
      runs,
    );
  });

  test('what passes the default boundary moves only what the update reaches, and by no step that may break', () => {
    fc.assert(
      fc.property(entries, entries, fc.constantFrom(...NAMES), (old, now, name) => {
        const [before, after] = [lockOf(old), lockOf(now)];
        const moves = movesBetween(before, after);
        const crossed = crossedMoves({ name }, before, after, moves);
        const reached = reachedBy(name, before, after, moves);
        const own = new Set([
          name,
          ...[before, after].flatMap((lock) => copiesOf(lock, name)).map((copy) => copy.name),
        ]);
        const others = moves.filter((move) => !own.has(move.name));
        const passing = others.every((move) => reached.has(move.name) && !mayBreak(move) && move.step !== 'rebuilt');
        expect(crossed.length === 0).toBe(passing && moves.every(({ step }) => step !== 'rebuilt'));
        for (const allowed of ['needed', 'any'] as const)
          expect(crossedMoves({ name, mayMove: allowed }, before, after, moves).length).toBeLessThanOrEqual(
            crossed.length,
          );
        if (others.length > 0) {
          expect(crossedMoves({ name, mayMove: 'none' }, before, after, moves)).not.toEqual([]);
          expect(moveFacts(name, before, after, moves).concerns?.map(({ kind }) => kind)).toContain('packages_moved');
        }
        if (moves.some(({ step }) => step === 'major'))
          expect(moveFacts(name, before, after, moves).versionChange).toBe('major');
      }),
      runs,
    );
  });
});
