import { canonicalJson } from '../../domain/digest.ts';
import type { Facts } from '../../domain/job/outcome.ts';
import { diffTrees } from '../../sandbox/git/diff.ts';
import { crossedMoves, moveFacts, stepFacts } from '../../stations/packages/change-of-packages.ts';
import { packageLimits } from '../../stations/packages/limits.ts';
import { isFault, type Lock, type LockfileFault } from '../../stations/packages/locked.ts';
import { withoutEntriesFor } from '../../stations/packages/manifest.ts';
import { wantedBy } from '../../stations/packages/manifest-edits.ts';
import { type Move, mayBreak, movesBetween } from '../../stations/packages/moves.ts';
import { type Project, readProject } from '../../stations/packages/project.ts';
import { rangeMoves } from '../../stations/packages/range-moves.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import { publicApi, unseenInWords } from '../public-api/snapshot.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier } from './line-verifier.ts';
import { removedEntries, stateAfter, stateOf, stopOf } from './package-state.ts';

type DependencyClaims = Extract<LineClaims, { line: 'dependency-update' }>;

/**
 * Every copy of the package has to come into the range, or with `copies: direct` those that the manifests ask for, by manifests and
 * lockfile alone; what else moves has to be allowed, and what the repository offers to others has to stay. Where no lockfile decides,
 * the manifests' ranges are what is proved.
 */
export const dependencyUpdateVerifier: LineVerifier = { before, boundary, after };

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  const line = requireLine(bench.packet, 'dependency-update');
  const { package: name, range } = line;
  const wanted = wantedBy(line);
  const claims: DependencyClaims = {
    line: 'dependency-update',
    package: name,
    range,
    versionsBefore: [],
    versionsAfter: null,
    publicApiBefore: null,
    publicApiAfter: null,
    ...(line.copies === 'direct' ? { copies: 'direct' } : {}),
  };
  const project = await readPackages(bench, base);
  if (isFault(project)) return { claims, stop: { verdict: 'needs_human', ...project }, intended: null };
  const found = stateOf(project, wanted);
  const known = { ...claims, ...found };
  const stop = isFault(found) ? ({ verdict: 'needs_human', ...found } as const) : stopOf(project, wanted, base);
  if (isFault(found) || stop !== null) return { claims: isFault(found) ? claims : known, stop, intended: null };
  const api = await publicApi(bench, base.repository, base.tree, 'base');
  if ('underivable' in api) {
    const question = `What the package offers to others can't be derived from its base (${api.underivable}), so that an update could change it unseen. Make its exports importable after the declared prepare command, or update by hand?`;
    return { claims: known, stop: { verdict: 'needs_human', code: 'UNDERIVABLE-API', question }, intended: null };
  }
  return { claims: { ...known, publicApiBefore: api.digest }, stop: null, intended: null };
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
  return isFault(project) ? undefined : lockIn(project);
}

async function after(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
  earlier: LineClaims,
): Promise<{ claims: LineClaims; faults: string[]; facts: Partial<Facts> }> {
  const line = requireLine(bench.packet, 'dependency-update');
  const { package: name, range } = line;
  const known = earlier.line === 'dependency-update' ? earlier : undefined;
  const [old, now] = await Promise.all([readPackages(bench, base), readPackages(bench, head)]);
  const faults = await foreignChanges(bench, base, head, name);
  const state = isFault(now) ? now : stateAfter(bench, now, wantedBy(line));
  faults.push(...(isFault(state) ? [state.question] : state.faults));
  if (!isFault(old) && !isFault(now)) faults.push(...removedEntries(old, now, name));
  const moved = isFault(old) || isFault(now) ? undefined : movesOf(name, old, now);

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
    publicApiBefore: apiBefore,
    publicApiAfter: apiAfter,
    ...(isFault(state) ? { versionsAfter: [] } : state.claims),
    ...(moved?.claim === undefined ? {} : { moved: moved.claim }),
  };
  const { versionChange = 'unknown', concerns = [] } = moved?.facts ?? {};
  for (const { kind, detail } of [...concerns, ...(isFault(state) ? [] : state.concerns)])
    bench.findings.concern(kind, detail);
  return { claims, faults, facts: { versionChange } };
}

/** Without a lockfile no package moves but by what the manifests ask for. */
function movesOf(name: string, old: Project, now: Project) {
  if (old.lockfile === undefined && now.lockfile === undefined)
    return { facts: stepFacts(rangeMoves(name, old.manifests, now.manifests)), claim: undefined };
  const [before, after] = [lockIn(old), lockIn(now)];
  if (before === undefined || after === undefined) return undefined;
  const moves = movesBetween(before, after);
  return { facts: moveFacts(name, before, after, moves), claim: claimOf(moves) };
}

function lockIn({ lockfile }: Project): Lock | undefined {
  return lockfile === undefined || isFault(lockfile.lock) ? undefined : lockfile.lock;
}

const claimOf = (moves: readonly Move[]) => ({
  total: moves.length,
  mayBreak: moves.filter(mayBreak).length,
  listed: moves.slice(0, packageLimits.named).map(boundedMove),
});

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
