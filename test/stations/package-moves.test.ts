import fc from 'fast-check';
import { satisfies } from 'semver';
import { describe, expect, test } from 'vitest';
import { callersIn, droppedNames } from '../../shared/stations/packages/callers.ts';
import { crossedMoves, moveFacts } from '../../shared/stations/packages/change-of-packages.ts';
import { withLeastMoves } from '../../shared/stations/packages/least-moves.ts';
import { copiesOf, isFault, type Lock } from '../../shared/stations/packages/locked.ts';
import { mayBreak, movesBetween } from '../../shared/stations/packages/moves.ts';
import { readNpmLockfile } from '../../shared/stations/packages/npm-lockfile.ts';
import { reachedBy } from '../../shared/stations/packages/reach.ts';
import { copiesLeft, isInRange, outsideOf } from '../../shared/stations/packages/wanted-copies.ts';

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

  test('with copies: direct, only when every copy that the manifests are served is, by name or by alias', () => {
    fc.assert(
      fc.property(entries, fc.constantFrom(...NAMES, 'twin'), fc.constantFrom(...RANGES), (of, name, range) => {
        const at = (place: string) => of.find(({ folder, key }) => `${folder}node_modules/${key}` === place);
        const ofMember = of.some(({ folder }) => folder === 'packages/a/')
          ? [at('packages/a/node_modules/right') ?? at('node_modules/right')]
          : [];
        const served = [at('node_modules/left'), at('node_modules/twin'), ...ofMember].filter(
          (each) => each !== undefined && (each.key === name || publishedName(each) === name),
        );
        const lock = lockOf(of);
        const wanted = { name, range, copies: 'direct' } as const;
        expect(isInRange(lock, wanted)).toBe(
          served.length > 0 && served.every((each) => satisfies(each?.version ?? '', range)),
        );
        const outside = truth(of, name).filter((version) => !satisfies(version, range)).length;
        expect(copiesLeft(lock, wanted).length + outsideOf(lock, wanted).length).toBe(outside);
      }),
      runs,
    );
  });

  test('every package that came, went or moved is listed, and none that stayed', () => {
    fc.assert(
      fc.property(entries, entries, (old, now) => {
        const moves = movesBetween(lockOf(old), lockOf(now));
        const listed = new Map(moves.map((move) => [move.name, move]));
        const [was, is] = [callersIn(lockOf(old)), callersIn(lockOf(now))];
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
          else if (listed.get(name)?.step !== 'rebuilt') {
            // The same copies: listed only where somebody who asked for one gets another.
            const isLed = [...(was.get(name) ?? [])].some(([caller, from]) => {
              const to = is.get(name)?.get(caller);
              return (
                to !== undefined && [...to].some((each) => !from.has(each)) && [...from].some((each) => !to.has(each))
              );
            });
            expect(listed.has(name)).toBe(isLed);
          }
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
        const dropped = droppedNames(before, after);
        const passing = others.every((move) =>
          move.step === 'removed'
            ? !dropped.has(move.name)
            : reached.has(move.name) && !mayBreak(move) && move.step !== 'rebuilt',
        );
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

type Locked = Readonly<Record<string, unknown>>;
/** A lockfile whose root asks for `app`'s dependencies; versions by place, each with what it asks for. */
function lockfile(root: Readonly<Record<string, string>>, packages: Readonly<Record<string, Locked>>): Lock {
  const placed = Object.entries(packages).map(([place, each]) => [
    `node_modules/${place}`,
    { integrity: digestOf(place, `${each['version']}`), ...each },
  ]);
  const lock = readNpmLockfile(
    JSON.stringify({
      lockfileVersion: 3,
      packages: { '': { name: 'app', dependencies: root }, ...Object.fromEntries(placed) },
    }),
  );
  if (isFault(lock)) throw new Error(lock.question);
  return lock;
}

describe('what moves beside an update', () => {
  const native = (version: string) => ({ version, optional: true, os: ['linux'], cpu: ['x64'] });
  const builder = (version: string, natives: readonly string[] = ['@n/x64', '@n/arm']) => ({
    version,
    optionalDependencies: Object.fromEntries(natives.map((name) => [name, version])),
  });
  const runner = (version: string) => ({ version, dependencies: { builder: `^${version}` } });

  test('a copy that goes with all who asked for it is gone, and no step back of those that stay', () => {
    const stays = { version: '1.0.0', dependencies: { charset: '^0.4.0' } };
    const before = lockfile(
      { left: '^1.0.0', stays: '1' },
      {
        left: { version: '1.0.0', dependencies: { encoding: '1' } },
        encoding: { version: '1.0.0', dependencies: { charset: '^0.6.0' } },
        'encoding/node_modules/charset': { version: '0.6.3' },
        charset: { version: '0.4.24' },
        stays,
      },
    );
    const after = lockfile(
      { left: '^1.1.0', stays: '1' },
      { left: { version: '1.1.0' }, charset: { version: '0.4.24' }, stays },
    );
    const moves = movesBetween(before, after);
    expect(moves).toMatchObject([
      { name: 'charset', from: ['0.6.3'], to: [], step: 'removed' },
      { name: 'encoding', step: 'removed' },
      { name: 'left', step: 'minor' },
    ]);
    expect(crossedMoves({ name: 'left' }, before, after, moves)).toEqual([]);
    expect(crossedMoves({ name: 'left', mayMove: 'none' }, before, after, moves)).toEqual([
      'charset 0.6.3 (gone), encoding 1.0.0 (gone) also move: line.mayMove is none',
    ]);
  });

  test('a copy that goes while who asked for it is led to a lower one is a step back', () => {
    const with_ = (range: string) => ({ version: '1.0.0', dependencies: { charset: range } });
    const before = lockfile(
      { left: '1', a: '1', b: '1' },
      {
        left: { version: '1.0.0' },
        a: with_('>=0.4'),
        b: with_('^0.4.0'),
        'a/node_modules/charset': { version: '0.6.3' },
        charset: { version: '0.4.24' },
      },
    );
    const after = lockfile(
      { left: '1', a: '1', b: '1' },
      { left: { version: '1.1.0' }, a: with_('>=0.4'), b: with_('^0.4.0'), charset: { version: '0.4.24' } },
    );
    const moves = movesBetween(before, after);
    expect(moves[0]).toMatchObject({ name: 'charset', from: ['0.6.3'], to: ['0.4.24'], step: 'back' });
    expect(crossedMoves({ name: 'left', mayMove: 'needed' }, before, after, moves)).toEqual([
      'charset 0.6.3 → 0.4.24 (back) also moves: left does not need it',
    ]);
  });

  test('builds for one platform go with the package that names them, which is asked about alone', () => {
    const natives = (version: string) => ({ '@n/x64': native(version), '@n/arm': native(version) });
    const before = lockfile(
      { runner: '^1.0.0' },
      { runner: runner('1.0.0'), builder: builder('1.0.0'), ...natives('1.0.0') },
    );
    const after = lockfile(
      { runner: '^1.0.0' },
      { runner: runner('2.0.0'), builder: builder('2.0.0'), ...natives('2.0.0') },
    );
    const moves = movesBetween(before, after);
    expect(moves).toHaveLength(4);
    expect(crossedMoves({ name: 'runner' }, before, after, moves)).toEqual([
      'builder 1.0.0 → 2.0.0 (major) also moves: a step that may break its callers, which line.mayMove does not allow',
    ]);
    expect(crossedMoves({ name: 'builder' }, before, after, moves)).toHaveLength(1);
    // Named no more, it is dropped with the rest; still named, its absence is a lockfile that lacks it.
    const alone = { runner: runner('1.1.0'), '@n/x64': native('1.1.0') };
    const fewer = lockfile({ runner: '^1.0.0' }, { ...alone, builder: builder('1.1.0', ['@n/x64']) });
    const lacking = lockfile({ runner: '^1.0.0' }, { ...alone, builder: builder('1.1.0') });
    expect(crossedMoves({ name: 'runner' }, before, fewer, movesBetween(before, fewer))).toEqual([]);
    expect(crossedMoves({ name: 'runner', mayMove: 'needed' }, before, lacking, movesBetween(before, lacking))).toEqual(
      ['@n/arm 1.0.0 (gone) also moves: gone from the lockfile, though what asks for it still does'],
    );
  });

  test('what was moved without need is put back where all that ask for it and all that it asks for fit', () => {
    const text = (root: string, packages: Readonly<Record<string, Locked>>): string =>
      JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': { dependencies: { left: root } },
          ...Object.fromEntries(
            Object.entries(packages).map(([place, each]) => [
              `node_modules/${place}`,
              { integrity: digestOf(place, `${each['version']}`), ...each },
            ]),
          ),
        },
      });
    const of = (version: string, dependencies: Readonly<Record<string, string>> = {}) => ({ version, dependencies });
    const before = text('1', {
      left: of('1.0.0', { free: '^1', tied: '^1', chain: '*' }),
      free: of('1.0.0'),
      tied: of('1.0.0'),
      chain: of('1.0.0', { link: '1.0.0' }),
      link: of('1.0.0'),
      lost: of('1.0.0', { absent: '1' }),
      absent: of('1.0.0'),
    });
    const after = text('1', {
      left: of('1.1.0', { free: '^1', tied: '^1.2', chain: '*', lost: '*' }),
      free: of('1.9.0'),
      tied: of('1.2.0'),
      chain: of('2.0.0', { link: '2.0.0' }),
      link: of('2.0.0'),
      lost: of('2.0.0'),
    });
    const less = readNpmLockfile(withLeastMoves(before, after, { name: 'left', range: '>=1.1' }) ?? '');
    if (isFault(less)) throw new Error(less.question);
    expect(Object.fromEntries(less.packages.map(({ name, version }) => [name, version]))).toEqual({
      left: '1.1.0',
      free: '1.0.0',
      tied: '1.2.0',
      chain: '1.0.0',
      link: '1.0.0',
      lost: '2.0.0',
    });
    expect(withLeastMoves(before, before, { name: 'left', range: '>=1' })).toBeUndefined();
  });
});
