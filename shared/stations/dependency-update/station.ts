import { TaskFailure } from '../../jobs/task.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { writeTreeFiles } from '../../sandbox/git/tree-files.ts';
import { crossedMoves, forbiddenMoves, leftConcern, moveFacts, named } from '../packages/change-of-packages.ts';
import { isFault, type Lock, type LockfileFault } from '../packages/locked.ts';
import { type Manifest, withText } from '../packages/manifest.ts';
import { type Wanted, wantedBy } from '../packages/manifest-edits.ts';
import { type Move, mayBreak, movesBetween } from '../packages/moves.ts';
import { type OpenedPackages, openPackages, packageConcerns } from '../packages/open-packages.ts';
import type { PackageFiles } from '../packages/package-cache.ts';
import { type Project, readProject } from '../packages/project.ts';
import { rangeMoves } from '../packages/range-moves.ts';
import { readLock } from '../packages/read-lock.ts';
import { wantedVersions } from '../packages/wanted-copies.ts';
import type { Intention, Station, StationWork } from '../station.ts';
import { requireLine } from '../work/inputs.ts';

/** Puts the manifests and lockfile in place that the packages job computed; it talks to no registry and installs nothing. */
export const dependencyUpdateStation: Station = {
  name: 'dependency-update',
  probe: async () => ({ ready: true }),
  tool,
  intend,
  implement: async (work) => changedTree(work, await readTarget(work)),
};

/** The packages job asks the package manager in the same sandbox for what manifests and lockfile become. */
async function tool({ context, driver }: StationWork): Promise<string> {
  const updatedBy = context.hasInput('packages') ? (await openPackages(context)).description.updatedBy : undefined;
  if (updatedBy !== undefined) return updatedBy;
  const probed = await driver.probe();
  return `npm ${(probed.usable ? probed.identity.versions['npm'] : undefined) ?? 'of a version that its sandbox does not tell'}`;
}

async function intend(work: StationWork): Promise<Intention> {
  const { base, context, packet } = work;
  const line = requireLine(packet, 'dependency-update');
  const { package: name, range, mayMove } = line;
  const packages = context.hasInput('packages') ? await openPackages(context) : null;
  if (packages?.target == null)
    return {
      verdict: 'not_applicable',
      summary: `${name} is already inside ${range}, or the packages job had nothing to move`,
    };
  const project = await readProject(base.repository, base.tree, context.signal);
  if (project === undefined || isFault(project)) return unreadable(project);
  const { before, after } = locksOf(project, packages, packages.target);
  if (isFault(before)) return unreadable(before);
  if (isFault(after)) return unreadable(after);
  // What was resolved for this request is delivered to nobody: without a lockfile only the manifests' ranges move.
  const locked = packages.base === null;
  const moves = locked
    ? movesBetween(before, after)
    : rangeMoves(name, project.manifests, changedManifests(project, packages.target));
  const crossed = [
    ...forbiddenMoves(packet.mustNotChange?.packages ?? [], moves),
    ...(locked ? crossedMoves({ name, mayMove }, before, after, moves) : []),
  ];
  const facts = moveFacts(name, before, after, moves);
  const wanted: Wanted = { ...wantedBy(line), ...(locked ? {} : { copies: 'direct' }) };
  const left = leftConcern(after, wanted);
  const concerns = [...(facts.concerns ?? []), ...left, ...packageConcerns(packages.description)];
  return {
    verdict: 'ok',
    changes: changesOf(project, packages.target, wanted, before, after),
    decisions: [
      ...left.map(({ detail }) => `Outside of ${range} stay ${detail}: is that known and wanted?`),
      ...decisionsOf(name, before, after, moves),
    ].slice(0, SHOWN),
    importedPackage: name,
    facts: { ...facts, ...(concerns.length === 0 ? {} : { concerns }) },
    ...(crossed.length === 0 ? {} : { outOfScope: outOfScope(crossed) }),
  };
}

function locksOf(
  project: Project,
  packages: OpenedPackages,
  target: PackageFiles,
): { readonly before: Lock | LockfileFault; readonly after: Lock | LockfileFault } {
  const earlier = packages.base?.lockfile ?? project.lockfile;
  return {
    before: readLock(project.manager, earlier?.text ?? '', earlier?.file ?? '', project.manifests),
    after: readLock(project.manager, target.lockfile.text, target.lockfile.file, changedManifests(project, target)),
  };
}

function changedManifests({ manifests }: Project, { files }: PackageFiles): ReadonlyMap<string, Manifest> {
  return new Map(
    [...manifests].map(([path, manifest]) => {
      const text = files[path];
      return [path, text === undefined ? manifest : withText(manifest, text)];
    }),
  );
}

const unreadable = (fault: LockfileFault | undefined): Intention => ({
  verdict: 'needs_human',
  code: fault?.code ?? 'MANIFEST-UNREADABLE',
  question: fault?.question ?? 'The repository has no package.json at its root. Commit one and submit again?',
});

function changesOf(project: Project, target: PackageFiles, wanted: Wanted, before: Lock, after: Lock) {
  const from = wantedVersions(before, wanted).join(', ') || 'nothing';
  const moved = `${wanted.name} from ${from} to ${wantedVersions(after, wanted).join(', ')}, inside ${wanted.range}`;
  const { file } = target.lockfile;
  return Object.entries(target.files)
    .filter(([path, text]) => (path === file ? project.lockfile?.text : project.manifests.get(path)?.text) !== text)
    .map(([path]) => ({ path, why: path === file ? `locks ${moved}` : `asks for ${moved}` }));
}

const SHOWN = 30;

/** What a person should weigh: each step that may break, what else moves, and code that would run at every install. */
function decisionsOf(name: string, before: Lock, after: Lock, moves: readonly Move[]): string[] {
  const own = moves.filter((move) => move.name === name && mayBreak(move));
  const others = moves.filter((move) => move.name !== name);
  return [
    ...own.map(
      ({ from, to, step }) =>
        `${name} makes a ${step} step, ${from.join(', ')} to ${to.join(', ')}: is what breaks in it known and wanted?`,
    ),
    ...(others.length === 0 ? [] : [`${others.length} other package(s) move along: ${named(others)}.`]),
    ...newInstallScripts(before, after),
    ...untoldScripts(after, moves),
  ];
}

const SCRIPTS_NAMED = 20;

/** What would run code of its own on every machine that installs it, and did not before. */
function newInstallScripts(before: Lock, after: Lock): string[] {
  const withScript = ({ packages }: Lock): string[] =>
    packages
      .filter(({ hasInstallScript }) => hasInstallScript)
      .map(({ name: scripted, version }) => `${scripted}@${version}`);
  const known = new Set(withScript(before));
  return [...new Set(withScript(after))]
    .filter((scripted) => !known.has(scripted))
    .slice(0, SCRIPTS_NAMED)
    .map((scripted) => `${scripted} runs a script of its own when it is installed: is that script known and wanted?`);
}

/** Lockfiles of pnpm 9 and later, and yarn's, keep no word of install scripts: that is said, as silence would pass for none. */
function untoldScripts({ manager, file, version }: Lock, moves: readonly Move[]): string[] {
  const come = moves.filter(({ step }) => step !== 'removed');
  if (manager === 'npm' || (manager === 'pnpm' && version.startsWith('6.')) || come.length === 0) return [];
  return [
    `${file} does not tell which packages run a script of their own when they are installed: is it known of what comes in (${named(come)})?`,
  ];
}

const CROSSED_NAMED = 10;

function outOfScope(crossed: readonly string[]): string {
  const more = crossed.length > CROSSED_NAMED ? ` and ${crossed.length - CROSSED_NAMED} more` : '';
  return `The update would move more than the packet allows: ${crossed.slice(0, CROSSED_NAMED).join('; ')}${more}. Allow it with line.mayMove (needed: what the update needs by any step; any: others too) in a new packet, choose another range, or drop the request?`;
}

async function readTarget({ context }: StationWork): Promise<PackageFiles> {
  const target = context.hasInput('packages') ? (await openPackages(context)).target : null;
  if (target !== null) return target;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'TARGET-MISSING',
    message: 'The packages job gave no target manifest and lockfile; the plan should have ended the request.',
  });
}

function changedTree({ base, context }: StationWork, target: PackageFiles): Promise<TreeId> {
  return writeTreeFiles(base.repository, base.tree, target.files, context.signal);
}
