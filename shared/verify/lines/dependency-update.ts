import { satisfies } from 'semver';
import { canonicalJson } from '../../domain/digest.ts';
import { diffTrees } from '../../sandbox/git/diff.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import {
  DEPENDENCY_KINDS,
  isFault,
  type LockfileFault,
  lockedVersions,
  readLockfile,
  readManifest,
} from '../../stations/packages/lockfile.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import { publicApi } from '../public-api/snapshot.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier, Stop } from './line-verifier.ts';

type DependencyClaims = Extract<LineClaims, { line: 'dependency-update' }>;

/** The locked version has to come into the range, by manifest and lockfile alone, and what the package offers has to stay. */
export const dependencyUpdateVerifier: LineVerifier = { before, after };

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
  const stopped = (stop: Stop, versionsBefore: readonly string[] = []): Before => ({
    claims: { ...claims, versionsBefore: [...versionsBefore] },
    stop,
    intended: null,
  });

  const locked = await readLocked(bench, base.repository, base.tree);
  if ('question' in locked) return stopped({ verdict: 'needs_human', ...locked });
  const versions = lockedVersions(locked, name);
  if (versions.length === 0)
    return stopped({ verdict: 'not_applicable', because: `${name} is not in the lockfile of commit ${base.commit}` });
  if (versions.every((version) => satisfies(version, range))) {
    return stopped(
      {
        verdict: 'already_true',
        because: `${name} is locked to ${versions.join(', ')}, inside ${range}, in commit ${base.commit}`,
      },
      versions,
    );
  }
  const api = await publicApi(bench, base.repository, base.tree, 'base');
  if ('underivable' in api) {
    const question = `What the package offers to others can't be derived from its base (${api.underivable}), so that an update could change it unseen. Make its exports importable after the declared prepare command, or update by hand?`;
    return stopped({ verdict: 'needs_human', code: 'UNDERIVABLE-API', question }, versions);
  }
  return { claims: { ...claims, versionsBefore: versions, publicApiBefore: api.digest }, stop: null, intended: null };
}

async function after(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
  earlier: LineClaims,
): Promise<{ claims: LineClaims; faults: string[] }> {
  const { package: name, range } = requireLine(bench.packet, 'dependency-update');
  const known = earlier.line === 'dependency-update' ? earlier : undefined;
  const faults = await foreignChanges(bench, base, head);
  const locked = await readLocked(bench, head.repository, head.tree);
  const versions = 'question' in locked ? [] : lockedVersions(locked, name);
  if ('question' in locked) faults.push(locked.question);
  else if (versions.length === 0) faults.push(`${name} is no longer in the lockfile`);
  const outside = versions.filter((version) => !satisfies(version, range));
  if (outside.length > 0) faults.push(`${name} is locked to ${outside.join(', ')}, outside ${range}`);

  const api = faults.length > 0 ? null : await publicApi(bench, head.repository, head.tree, 'changed');
  if (api !== null && 'underivable' in api)
    faults.push(`what the package offers can no longer be derived: ${api.underivable}`);
  const apiAfter = api !== null && 'digest' in api ? api.digest : null;
  const apiBefore = known?.publicApiBefore ?? null;
  if (apiAfter !== null && apiAfter !== apiBefore) faults.push('what the package offers to others is not what it was');
  const claims: DependencyClaims = {
    line: 'dependency-update',
    package: name,
    range,
    versionsBefore: [...(known?.versionsBefore ?? [])],
    versionsAfter: versions,
    publicApiBefore: apiBefore,
    publicApiAfter: apiAfter,
  };
  return { claims, faults };
}

async function readLocked(
  { context }: Bench,
  repository: string,
  tree: TreeId,
): Promise<ReturnType<typeof readLockfile>> {
  const manifest = await readTreeFile(repository, tree, 'package.json', context.signal);
  const lockfile = await readTreeFile(repository, tree, 'package-lock.json', context.signal);
  if (manifest === undefined || lockfile === undefined) return missing;
  const read = readManifest(manifest);
  return isFault(read) ? read : readLockfile(lockfile);
}

const missing: LockfileFault = {
  code: 'LOCKFILE-MISSING',
  question:
    'The repository has no package.json with a package-lock.json beside it at its root. Commit a lockfile of version 3 and submit again, or update by hand?',
};

/** An update is manifest and lockfile, and of the manifest what it depends on: everything else is another change. */
async function foreignChanges({ context }: Bench, base: Snapshot, head: Snapshot): Promise<string[]> {
  const { repository } = base;
  const { entries } = await diffTrees({ repository, from: base.tree, to: head.tree, signal: context.signal });
  const faults = entries
    .filter(({ path }) => path !== 'package.json' && path !== 'package-lock.json')
    .map(({ path }) => `${path} changes, which is no part of an update`);
  const [from, to] = await Promise.all(
    [base, head].map(({ tree }) => withoutDependencies(repository, tree, context.signal)),
  );
  if (from !== to) faults.push('package.json changes in more than its dependencies');
  return faults;
}

async function withoutDependencies(repository: string, tree: TreeId, signal: AbortSignal): Promise<string> {
  const text = await readTreeFile(repository, tree, 'package.json', signal);
  const value: unknown = JSON.parse(text ?? 'null');
  if (typeof value !== 'object' || value === null) return '';
  return canonicalJson(
    Object.fromEntries(Object.entries(value).filter(([key]) => !(DEPENDENCY_KINDS as readonly string[]).includes(key))),
  );
}
