import { diff, gt, minVersion } from 'semver';
import { TaskFailure } from '../../jobs/task.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { readTreeFile, writeTreeFiles } from '../../sandbox/git/tree-files.ts';
import { isFault, lockedVersions, readLockfile } from '../packages/lockfile.ts';
import { openPackages } from '../packages/open-packages.ts';
import type { Target } from '../packages/resolve-target.ts';
import type { Intention, Station, StationWork } from '../station.ts';
import { requireLine } from '../work/inputs.ts';

/** Puts the manifest and lockfile in place that the packages job computed; it talks to no registry and installs nothing. */
export const dependencyUpdateStation: Station = {
  name: 'dependency-update',
  probe: async () => ({ ready: true }),
  tool,
  intend,
  implement: async (work) => changedTree(work, await readTarget(work)),
};

/** The packages job asks npm in the same sandbox for what the manifest and lockfile become. */
async function tool({ driver }: StationWork): Promise<string> {
  const probed = await driver.probe();
  return `npm ${(probed.usable ? probed.identity.versions['npm'] : undefined) ?? 'of a version that its sandbox does not tell'}`;
}

async function intend(work: StationWork): Promise<Intention> {
  const { package: name, range } = requireLine(work.packet, 'dependency-update');
  const target = work.context.hasInput('packages') ? (await openPackages(work.context)).target : null;
  if (target === null)
    return {
      verdict: 'not_applicable',
      summary: `${name} is already inside ${range}, or the packages job had nothing to move`,
    };
  const before = await file(work, 'package-lock.json');
  const from = versions(before ?? '', name);
  const to = versions(target.lockfile, name);
  const moved = `${name} from ${from.join(', ') || 'nothing'} to ${to.join(', ')}, inside ${range}`;
  const changes = [{ path: 'package-lock.json', why: `locks ${moved}` }];
  if ((await file(work, 'package.json')) !== target.manifest)
    changes.unshift({ path: 'package.json', why: `asks for ${moved}` });
  const versionChange = largestStep(from, to);
  const decisions =
    versionChange === 'major'
      ? [`${name} makes a major step, ${from.join(', ')} to ${to.join(', ')}: is what breaks in it known and wanted?`]
      : [];
  decisions.push(...newInstallScripts(before ?? '', target.lockfile));
  return { verdict: 'ok', changes, decisions, importedPackage: name, facts: { versionChange } };
}

async function readTarget({ context }: StationWork): Promise<Target> {
  const target = context.hasInput('packages') ? (await openPackages(context)).target : null;
  if (target !== null) return target;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'TARGET-MISSING',
    message: 'The packages job gave no target manifest and lockfile; the plan should have ended the request.',
  });
}

function changedTree({ base, context }: StationWork, target: Target): Promise<TreeId> {
  return writeTreeFiles(
    base.repository,
    base.tree,
    { 'package.json': target.manifest, 'package-lock.json': target.lockfile },
    context.signal,
  );
}

function file({ base, context }: StationWork, path: string): Promise<string | undefined> {
  return readTreeFile(base.repository, base.tree, path, context.signal);
}

function versions(lockfile: string, name: string): string[] {
  const locked = readLockfile(lockfile);
  return isFault(locked) ? [] : lockedVersions(locked, name);
}

const SCRIPTS_NAMED = 20;

/** What would run code of its own on every machine that installs it, and did not before. */
function newInstallScripts(before: string, after: string): string[] {
  const withScript = (lockfile: string): string[] => {
    const locked = readLockfile(lockfile);
    return isFault(locked)
      ? []
      : locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name, version }) => `${name}@${version}`);
  };
  const known = new Set(withScript(before));
  return [...new Set(withScript(after))]
    .filter((named) => !known.has(named))
    .slice(0, SCRIPTS_NAMED)
    .map((named) => `${named} runs a script of its own when it is installed: is that script known and wanted?`);
}

/** The largest step from the lowest locked version to the highest new one. */
function largestStep(from: readonly string[], to: readonly string[]): 'none' | 'patch' | 'minor' | 'major' | 'unknown' {
  const parsed = [...from, ...to].every((version) => minVersion(version) !== null);
  const [lowest] = from.toSorted((a, b) => (gt(a, b) ? 1 : -1));
  const highest = to.toSorted((a, b) => (gt(a, b) ? 1 : -1)).at(-1);
  if (!parsed || lowest === undefined || highest === undefined) return 'unknown';
  const step = diff(lowest, highest);
  if (step === null) return 'none';
  if (step.endsWith('major')) return 'major';
  // Below 1.0.0 a minor step may break (semver 2.0.0 §4).
  if (step.endsWith('minor')) return lowest.startsWith('0.') ? 'major' : 'minor';
  return step === 'patch' || step === 'prepatch' ? 'patch' : 'unknown';
}
