import type { Concern } from '../../domain/risk/concern.ts';
import { leftConcern } from '../../stations/packages/change-of-packages.ts';
import { copiesOf, isFault, type Lock, type LockfileFault, lockedVersions } from '../../stations/packages/locked.ts';
import { programName } from '../../stations/packages/managers.ts';
import { projectEntries, rangeIsInside, type Wanted, wantedEntries } from '../../stations/packages/manifest-edits.ts';
import type { Project } from '../../stations/packages/project.ts';
import { readLock } from '../../stations/packages/read-lock.ts';
import {
  copiesLeft,
  directFault,
  isInRange,
  leftInWords,
  outsideOf,
  wantedCopies,
  wantedVersions,
} from '../../stations/packages/wanted-copies.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Stop } from './line-verifier.ts';

type DependencyClaims = Extract<LineClaims, { line: 'dependency-update' }>;
const versionsNamed = 100;

/** What is said of a package: the versions that are locked, or the ranges that are asked for where nothing is locked. */
export function stateOf(
  project: Project,
  wanted: Wanted,
): Pick<DependencyClaims, 'versionsBefore' | 'manifestRanges'> | LockfileFault {
  const lock = project.lockfile?.lock;
  if (lock === undefined) return { versionsBefore: [], manifestRanges: rangesOf(project, wanted.name) };
  return isFault(lock) ? lock : { versionsBefore: wantedVersions(lock, wanted).slice(0, versionsNamed) };
}

const rangesOf = (project: Project, name: string): string[] =>
  [...new Set(projectEntries(project, name).map(({ text }) => text.slice(0, 300)))].sort().slice(0, versionsNamed);

/** Why there is nothing to do, or nothing that could be proved: after every copy and entry was looked at, by key and by name. */
export function stopOf(project: Project, wanted: Wanted, { commit }: Snapshot): Stop | null {
  const { name, range } = wanted;
  const lock = project.lockfile?.lock;
  const entries = projectEntries(project, name);
  if (lock === undefined || isFault(lock)) return unlockedStop(project, wanted);
  const looked = `${lock.file} and ${project.manifests.size} manifest(s), by name and by alias`;
  if (copiesOf(lock, name).length === 0)
    return entries.length === 0
      ? { verdict: 'not_applicable', because: `${name} is not in commit ${commit}: looked for in ${looked}` }
      : {
          verdict: 'needs_human',
          code: 'LOCKFILE-STALE',
          question: `${entries[0]?.path ?? 'package.json'} asks for ${name}, and ${lock.file} has no copy of it. Bring the lockfile up to date with ${programName(project.manager)} and submit again?`,
        };
  const unclear = directFault(project, lock, wanted);
  if (unclear !== undefined) return { verdict: 'needs_human', ...unclear };
  if (!isInRange(lock, wanted)) return null;
  const versions = wantedVersions(lock, wanted).slice(0, 20).join(', ');
  return {
    verdict: 'already_true',
    because: `${copiesInWords(lock, wanted)} are locked to ${versions}, inside ${range}, in commit ${commit}: looked for in ${looked}${othersInWords(lock, wanted)}`,
  };
}

const copiesInWords = (lock: Lock, wanted: Wanted): string => {
  const count = wantedCopies(lock, wanted).length;
  return wanted.copies === 'direct'
    ? `the ${count} copies of ${wanted.name} that the manifests ask for themselves`
    : `all ${count} copies of ${wanted.name}`;
};

/** What `direct` does not speak of. */
function othersInWords(lock: Lock, wanted: Wanted): string {
  if (wanted.copies !== 'direct') return '';
  const left = copiesLeft(lock, wanted);
  return left.length === 0
    ? '; no other copy lies outside'
    : `; outside stay, as line.copies is direct: ${leftInWords(lock, left)}`;
}

/** Without a lockfile each install decides anew: `already_true` is never claimed, and what no manifest names can't be moved. */
function unlockedStop(project: Project, wanted: Wanted): Stop | null {
  const { name, range } = wanted;
  const asked = unlockedEntries(project, wanted);
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

const unlockedEntries = (project: Project, wanted: Wanted) =>
  wantedEntries(project, wanted).filter(({ kind }) => kind !== 'peerDependencies');

/** What is claimed of a change, why it is not what was asked for, and what a person should weigh. */
type StateAfter = {
  readonly claims: Pick<DependencyClaims, 'versionsAfter' | 'manifestRanges' | 'copies' | 'left' | 'resolvedVersions'>;
  readonly faults: readonly string[];
  readonly concerns: readonly Concern[];
};

export function stateAfter(bench: Bench, project: Project, wanted: Wanted): StateAfter | LockfileFault {
  const lock = project.lockfile?.lock;
  if (lock === undefined) return unlockedAfter(bench, project, wanted);
  if (isFault(lock)) return lock;
  const { name, range } = wanted;
  const outside = [...new Set(outsideOf(lock, wanted).map(({ version }) => version))].sort();
  const unclear = directFault(project, lock, wanted);
  return {
    claims: {
      versionsAfter: wantedVersions(lock, wanted).slice(0, versionsNamed),
      ...(wanted.copies === 'direct' ? { copies: 'direct' as const } : {}),
      ...leftOf(lock, wanted),
    },
    faults: [
      ...(lockedVersions(lock, name).length === 0 ? [`${name} is no longer in ${lock.file}`] : []),
      ...(outside.length > 0 ? [`${name} is locked to ${outside.join(', ')}, outside ${range}`] : []),
      ...(unclear === undefined ? [] : [unclear.question]),
    ],
    concerns: leftConcern(lock, wanted),
  };
}

function leftOf(lock: Lock, wanted: Wanted): Pick<DependencyClaims, 'left'> {
  const left = copiesLeft(lock, wanted);
  return left.length === 0 ? {} : { left: { total: left.length, inWords: leftInWords(lock, left).slice(0, 2_000) } };
}

/** The manifests' ranges are what is proved; what this request's resolution came to is told as what was tested. */
function unlockedAfter(bench: Bench, project: Project, wanted: Wanted): StateAfter {
  const { name, range } = wanted;
  const asked = unlockedEntries(project, wanted);
  const outside = asked.filter(({ text }) => !rangeIsInside(text, range));
  const lock = resolvedLock(bench, project);
  const direct: Wanted = { ...wanted, copies: 'direct' };
  const tested = lock === undefined ? [] : wantedVersions(lock, direct).slice(0, versionsNamed);
  return {
    claims: {
      versionsAfter: [],
      manifestRanges: rangesOf(project, name),
      ...(lock === undefined ? {} : { resolvedVersions: tested, ...leftOf(lock, direct) }),
    },
    faults:
      asked.length === 0
        ? [`no manifest asks for ${name} any more`]
        : outside.map(({ path, text }) => `${path} asks for ${name} ${text}, which lets in versions outside ${range}`),
    concerns:
      lock === undefined
        ? []
        : [
            { kind: 'unlocked_packages', detail: `tested with ${name} ${tested.slice(0, 10).join(', ')}` },
            ...leftConcern(lock, direct),
          ],
  };
}

/** The lockfile that was resolved for this request, and that installs of the change were made from. */
function resolvedLock({ resolved: files }: Bench, project: Project): Lock | undefined {
  if (files === null) return undefined;
  const lock = readLock(project.manager, files.lockfile.text, files.lockfile.file, project.manifests);
  return isFault(lock) ? undefined : lock;
}

/** Entries for the package that a change takes out: an update writes them anew, and removes none. */
export function removedEntries(old: Project, now: Project, name: string): string[] {
  const places = (project: Project) =>
    projectEntries(project, name).map(({ path, location }) => `${location.join('.')} in ${path}`);
  const left = new Set(places(now));
  return places(old)
    .filter((place) => !left.has(place))
    .map((place) => `${place} is taken out, which is no update`);
}
