import { satisfies } from 'semver';
import { canonicalJson } from '../../domain/digest.ts';
import type { Facts } from '../../domain/job/outcome.ts';
import { diffTrees } from '../../sandbox/git/diff.ts';
import { crossedMoves, moveFacts } from '../../stations/packages/change-of-packages.ts';
import { packageLimits } from '../../stations/packages/limits.ts';
import { copiesOf, isFault, type Lock, type LockfileFault, lockedVersions } from '../../stations/packages/locked.ts';
import { programName } from '../../stations/packages/managers.ts';
import { withoutEntriesFor } from '../../stations/packages/manifest.ts';
import { projectEntries, rangeIsInside } from '../../stations/packages/manifest-edits.ts';
import { type Move, mayBreak, movesBetween } from '../../stations/packages/moves.ts';
import { type Project, readProject } from '../../stations/packages/project.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import { publicApi, unseenInWords } from '../public-api/snapshot.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier, Stop } from './line-verifier.ts';

type DependencyClaims = Extract<LineClaims, { line: 'dependency-update' }>;

/**
 * Every copy of the package has to come into the range, by manifests and lockfile alone; what else moves has to be allowed, and
 * what the repository offers to others has to stay. Where no lockfile decides, the manifests' ranges are what is proved.
 */
export const dependencyUpdateVerifier: LineVerifier = { before, boundary, after };

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  const { package: name, range } = requireLine(bench.packet, 'dependency-update');
  const claims: DependencyClaims = {
    line: 'dependency-update',
    package: name,
    range,
    versionsBefore: [],
    versionsAfter: null,
    publicApiBefore: null,
    publicApiAfter: null,
  };
  const project = await readPackages(bench, base);
  if (isFault(project)) return { claims, stop: { verdict: 'needs_human', ...project }, intended: null };
  const found = stateOf(project, name);
  const known = { ...claims, ...found };
  const stop = isFault(found) ? ({ verdict: 'needs_human', ...found } as const) : stopOf(project, name, range, base);
  if (isFault(found) || stop !== null) return { claims: isFault(found) ? claims : known, stop, intended: null };
  const api = await publicApi(bench, base.repository, base.tree, 'base');
  if ('underivable' in api) {
    const question = `What the package offers to others can't be derived from its base (${api.underivable}), so that an update could change it unseen. Make its exports importable after the declared prepare command, or update by hand?`;
    return { claims: known, stop: { verdict: 'needs_human', code: 'UNDERIVABLE-API', question }, intended: null };
  }
  return { claims: { ...known, publicApiBefore: api.digest }, stop: null, intended: null };
}

/** What is said of a package: the versions that are locked, or the ranges that are asked for where nothing is locked. */
function stateOf(
  project: Project,
  name: string,
): Pick<DependencyClaims, 'versionsBefore' | 'manifestRanges'> | LockfileFault {
  const lock = project.lockfile?.lock;
  if (lock === undefined) return { versionsBefore: [], manifestRanges: rangesOf(project, name) };
  return isFault(lock) ? lock : { versionsBefore: lockedVersions(lock, name).slice(0, 100) };
}

const rangesOf = (project: Project, name: string): string[] =>
  [...new Set(projectEntries(project, name).map(({ text }) => text.slice(0, 300)))].sort().slice(0, 100);

/** Why there is nothing to do, or nothing that could be proved: after every copy and entry was looked at, by key and by name. */
function stopOf(project: Project, name: string, range: string, { commit }: Snapshot): Stop | null {
  const lock = project.lockfile?.lock;
  const entries = projectEntries(project, name);
  if (lock === undefined || isFault(lock)) return unlockedStop(project, name, range);
  const copies = copiesOf(lock, name);
  const looked = `${lock.file} and ${project.manifests.size} manifest(s), by name and by alias`;
  if (copies.length === 0)
    return entries.length === 0
      ? { verdict: 'not_applicable', because: `${name} is not in commit ${commit}: looked for in ${looked}` }
      : {
          verdict: 'needs_human',
          code: 'LOCKFILE-STALE',
          question: `${entries[0]?.path ?? 'package.json'} asks for ${name}, and ${lock.file} has no copy of it. Bring the lockfile up to date with ${programName(project.manager)} and submit again?`,
        };
  const versions = lockedVersions(lock, name);
  if (!copies.every(({ version }) => satisfies(version, range))) return null;
  return {
    verdict: 'already_true',
    because: `all ${copies.length} copies of ${name} are locked to ${versions.slice(0, 20).join(', ')}, inside ${range}, in commit ${commit}: looked for in ${looked}`,
  };
}

/** Without a lockfile each install decides anew: `already_true` is never claimed, and what no manifest names can't be moved. */
function unlockedStop(project: Project, name: string, range: string): Stop | null {
  const asked = projectEntries(project, name).filter(({ kind }) => kind !== 'peerDependencies');
  const files = `${project.manifests.size} manifest(s)`;
  const way = 'Commit a lockfile and submit again, or drop the request?';
  if (asked.length === 0)
    return {
      verdict: 'needs_human',
      code: 'LOCKFILE-MISSING',
      question: `${name} is in none of ${files}, and no lockfile says whether and in which version it is installed through others. ${way}`,
    };
  if (!asked.every(({ text }) => rangeIsInside(text, range))) return null;
  return {
    verdict: 'needs_human',
    code: 'LOCKFILE-MISSING',
    question: `What ${files} ask for (${rangesOf(project, name).slice(0, 10).join(', ')}) lies inside ${range} already, but no lockfile says what is installed, also through others. ${way}`,
  };
}

/** An update is manifests and lockfile, of a manifest what it says of this package, and of the lockfile what may move. */
async function boundary(bench: Bench, base: Snapshot, head: Snapshot): Promise<readonly string[]> {
  const { package: name, mayMove } = requireLine(bench.packet, 'dependency-update');
  const locks = await locksOf(bench, base, head);
  if (locks === undefined) return [];
  const { old, now } = locks;
  return crossedMoves({ name, mayMove }, old, now, movesBetween(old, now));
}

async function locksOf(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
): Promise<{ readonly old: Lock; readonly now: Lock } | undefined> {
  const [old, now] = await Promise.all([base, head].map((each) => lockOf(bench, each)));
  return old === undefined || now === undefined ? undefined : { old, now };
}

async function lockOf(bench: Bench, at: Snapshot): Promise<Lock | undefined> {
  const project = await readPackages(bench, at);
  const lock = isFault(project) ? undefined : project.lockfile?.lock;
  return lock === undefined || isFault(lock) ? undefined : lock;
}

async function after(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
  earlier: LineClaims,
): Promise<{ claims: LineClaims; faults: string[]; facts: Partial<Facts> }> {
  const { package: name, range } = requireLine(bench.packet, 'dependency-update');
  const known = earlier.line === 'dependency-update' ? earlier : undefined;
  const [old, now] = await Promise.all([base, head].map((each) => readPackages(bench, each)));
  const faults = await foreignChanges(bench, base, head, name);
  const state = now === undefined || isFault(now) ? now : stateAfter(now, name, range);
  if (state === undefined || isFault(state)) faults.push(state?.question ?? 'the manifests can not be read');
  else faults.push(...state.faults);
  const moved = old === undefined || now === undefined ? undefined : movesOf(name, old, now);

  const api = faults.length > 0 ? null : await publicApi(bench, head.repository, head.tree, 'changed');
  if (api !== null && 'underivable' in api)
    faults.push(`what the package offers can no longer be derived: ${api.underivable}`);
  const apiAfter = api !== null && 'digest' in api ? api.digest : null;
  if (api !== null && 'digest' in api && api.unseen.length > 0)
    bench.findings.concern('interface_unseen', unseenInWords(api.unseen));
  const apiBefore = known?.publicApiBefore ?? null;
  if (apiAfter !== null && apiAfter !== apiBefore) faults.push('what the package offers to others is not what it was');
  const claims: DependencyClaims = {
    line: 'dependency-update',
    package: name,
    range,
    versionsBefore: [...(known?.versionsBefore ?? [])],
    versionsAfter: state === undefined || isFault(state) ? [] : state.versions,
    publicApiBefore: apiBefore,
    publicApiAfter: apiAfter,
    ...(state === undefined || isFault(state) || state.ranges === undefined ? {} : { manifestRanges: state.ranges }),
    ...(moved === undefined ? {} : { moved: moved.claim }),
  };
  const { versionChange = 'unknown', concerns = [] } = moved?.facts ?? {};
  for (const { kind, detail } of concerns) bench.findings.concern(kind, detail);
  return { claims, faults, facts: { versionChange } };
}

type StateAfter = { readonly versions: string[]; readonly ranges?: string[]; readonly faults: readonly string[] };

function stateAfter(project: Project, name: string, range: string): StateAfter | LockfileFault {
  const lock = project.lockfile?.lock;
  if (lock !== undefined && isFault(lock)) return lock;
  if (lock === undefined) {
    const asked = projectEntries(project, name).filter(({ kind }) => kind !== 'peerDependencies');
    const outside = asked.filter(({ text }) => !rangeIsInside(text, range));
    const faults = outside.map(
      ({ path, text }) => `${path} asks for ${name} ${text}, which lets in versions outside ${range}`,
    );
    return {
      versions: [],
      ranges: rangesOf(project, name),
      faults: asked.length === 0 ? [`no manifest asks for ${name} any more`] : faults,
    };
  }
  const versions = lockedVersions(lock, name);
  const outside = versions.filter((version) => !satisfies(version, range));
  return {
    versions: versions.slice(0, 100),
    faults: [
      ...(versions.length === 0 ? [`${name} is no longer in ${lock.file}`] : []),
      ...(outside.length > 0 ? [`${name} is locked to ${outside.join(', ')}, outside ${range}`] : []),
    ],
  };
}

function movesOf(name: string, old: Project | LockfileFault, now: Project | LockfileFault) {
  if (isFault(old) || isFault(now)) return undefined;
  const [before, after] = [old.lockfile?.lock, now.lockfile?.lock];
  if (before === undefined || after === undefined || isFault(before) || isFault(after)) return undefined;
  const moves = movesBetween(before, after);
  return {
    facts: moveFacts(name, before, after, moves),
    claim: {
      total: moves.length,
      mayBreak: moves.filter(mayBreak).length,
      listed: moves.slice(0, packageLimits.named).map(boundedMove),
    },
  };
}

const boundedMove = (move: Move) => ({
  ...move,
  name: move.name.slice(0, 300),
  from: move.from.slice(0, 20).map((version) => version.slice(0, 256)),
  to: move.to.slice(0, 20).map((version) => version.slice(0, 256)),
});

async function readPackages({ context }: Bench, { repository, tree }: Snapshot): Promise<Project | LockfileFault> {
  return (await readProject(repository, tree, context.signal)) ?? missing;
}

const missing: LockfileFault = {
  code: 'MANIFEST-MISSING',
  question:
    'The repository has no package.json at its root, and this line moves packages of npm alone. Commit one with its lockfile and submit again; or update with the own tool of what moves here, and hand in "git diff" under the line "patch"?',
};

/** Everything but manifests and lockfile, and of a manifest everything but what it says of this package, is another change. */
async function foreignChanges({ context }: Bench, base: Snapshot, head: Snapshot, name: string): Promise<string[]> {
  const { repository } = base;
  const { entries } = await diffTrees({ repository, from: base.tree, to: head.tree, signal: context.signal });
  const [old, now] = await Promise.all([base, head].map(({ tree }) => readProject(repository, tree, context.signal)));
  if (old === undefined || now === undefined || isFault(old) || isFault(now))
    return ['package.json can not be read on both sides'];
  const lockfile = now.lockfile?.file ?? old.lockfile?.file;
  return entries.flatMap(({ path }) => {
    if (path === lockfile) return [];
    const [from, to] = [old.manifests.get(path), now.manifests.get(path)];
    if (from === undefined || to === undefined) return [`${path} changes, which is no part of an update`];
    return canonicalJson(withoutEntriesFor(from, name)) === canonicalJson(withoutEntriesFor(to, name))
      ? []
      : [`${path} changes in more than what it says of ${name}`];
  });
}
