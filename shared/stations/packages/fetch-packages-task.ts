import { validRange } from 'semver';
import { needsPackages } from '../../domain/application/needs-packages.ts';
import type { Facts } from '../../domain/job/outcome.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { openBase } from '../work/base.ts';
import { readDeclaration, readPacket } from '../work/inputs.ts';
import { requireSandbox } from '../work/sandbox-permission.ts';
import { intendedProject } from './intended-project.ts';
import { copiesOf, fault, isFault, type Lock, type LockfileFault, type Requirement } from './locked.ts';
import { allEntries } from './manifest.ts';
import { projectEntries, type Wanted, wantedBy } from './manifest-edits.ts';
import { packageConcerns, packageLabel } from './open-packages.ts';
import {
  bounded,
  type ChangeSupply,
  ignoredSettings,
  type Packed,
  packPackages,
  type Supply,
  type Work,
} from './pack-packages.ts';
import type { MissingPackage } from './package-cache.ts';
import { type Project, readProject } from './project.ts';
import { openRegistry, RegistryRefusal } from './registry.ts';
import { failureOfRegistry } from './registry-failure.ts';
import { type Updated, updatePackages } from './update.ts';
import { resolveByNpm } from './update-npm.ts';
import { directFault, isInRange } from './wanted-copies.ts';

export type PackagesConfiguration = { readonly driver: SandboxDriver; readonly registry: string };

/**
 * The task `fetch-packages`: what an offline install of the base needs, where the application declares a prepare command, and for
 * a dependency update the manifests and lockfile it comes to with what an install of those needs; for a patch, what an install of
 * the patched tree needs besides. A base without a lockfile is resolved once. Packages that can't be had are named in the outcome and the artifact; they stop nothing here. Holds no
 * credential. Writes the outputs `packages` and, when it resolved one, `lockfile`.
 */
export async function fetchPackagesTask(
  context: TaskContext,
  configuration: PackagesConfiguration,
): Promise<TaskResult> {
  const packet = await readPacket(context);
  const { line } = packet;
  const update = line.name === 'dependency-update' ? wantedBy(line) : undefined;
  if (!needsPackages(packet, await readDeclaration(context)))
    return ended('none', 'the application declares no prepare command that would install packages');
  const base = await openBase(context);
  const project = await readProject(base.repository, base.tree, context.signal);
  if (project === undefined) return ended('none', 'the repository has no package.json at its root');
  if (isFault(project)) return update === undefined ? ended('none', project.question) : asked(project);
  try {
    const registry = openRegistry(configuration.registry, context.signal);
    const work = { context, driver: configuration.driver, registry, project };
    if (update !== undefined) return await supplyUpdate(work, update);
    return await supply(work, await intendedProject(packet, base, project, context.signal));
  } catch (error) {
    if (error instanceof RegistryRefusal) throw new TaskFailure(failureOfRegistry(error));
    throw error;
  }
}

/** Any line but the update: what can't be had is told, and a check that needs it fails by itself. */
async function supply(work: Work, intended?: Project): Promise<TaskResult> {
  const found = await supplyOf(work).catch(asFault);
  const change = intended === undefined ? undefined : await supplyChange(work, found, intended);
  return isFault(found) ? unsupplied(work, found, change) : packed(work, found, undefined, change);
}

const asFault = (error: unknown): LockfileFault => {
  if (error instanceof RegistryRefusal && !error.passing) return fault(error.code, error.message);
  throw error;
};

/** The change's own lockfile; where it has none, npm resolves its manifests from what the base was resolved to. */
async function supplyChange(work: Work, base: Supply | LockfileFault, intended: Project): Promise<ChangeSupply> {
  const nothing = (name: string, why: string): ChangeSupply => ({
    packages: [],
    lacking: [bounded({ name, version: '', why })],
    unlocked: [],
  });
  const { lockfile } = intended;
  const file = lockfile?.file ?? 'package.json';
  if (intended.manager !== work.project.manager)
    return nothing(file, "the change moves to another package manager; only the base's packages are fetched");
  const seed =
    lockfile === undefined && !isFault(base) && base.resolved
      ? { file: base.lock.file, text: base.text, lock: base.lock }
      : lockfile;
  const found = await supplyOf({ ...work, project: { ...intended, lockfile: seed } }, lockfile === undefined).catch(
    asFault,
  );
  if (isFault(found)) return nothing(file, reasonOf(found));
  const files = Object.fromEntries([
    ...[...intended.manifests].map(([path, { text }]) => [path, text] as const),
    ...(lockfile === undefined ? [] : [[lockfile.file, lockfile.text] as const]),
  ]);
  return {
    packages: found.lock.packages,
    ...(found.resolved ? { target: { files, lockfile: { file: found.lock.file, text: found.text } } } : {}),
    lacking: [],
    unlocked: unlockedEntries(intended, found.lock),
  };
}

/** What a fault says, without the question it ends in. */
const reasonOf = ({ question }: LockfileFault): string => question.split(/(?<=\.) (?=[A-Z][^.]*\?$)/)[0] ?? question;

/** Nothing could be fetched for the base. Checks that need packages will say so; a change that needs none goes on. */
async function unsupplied(work: Work, found: LockfileFault, change: ChangeSupply | undefined): Promise<TaskResult> {
  const because = reasonOf(found);
  const file = work.project.lockfile?.file ?? 'package.json';
  const packages = await packPackages(work, { lacking: [bounded({ name: file, version: '', why: because })], change });
  await outputPackages(work.context, packages.file);
  return suppliedWith(work, packages, `no packages: ${because}`);
}

async function supplyUpdate(work: Work, wanted: Wanted): Promise<TaskResult> {
  const { project } = work;
  if (validRange(wanted.range) === null)
    return asked(
      fault(
        'RANGE-INVALID',
        `${wanted.range} is not a semver range. Correct the packet's line.range and submit again?`,
      ),
    );
  const own = project.lockfile?.lock;
  if (own !== undefined && isFault(own)) return asked(own);
  const named = projectEntries(project, wanted.name).length > 0;
  if (own !== undefined && copiesOf(own, wanted.name).length === 0 && !named)
    return ended(
      'not_applicable',
      `${wanted.name} is not in ${own.file}, neither by name nor by alias, nor in ${project.manifests.size} manifest(s)`,
    );
  // Without a lockfile the verifier says what to do; there is nothing here to move.
  if (own === undefined && !named) return ended('none', `no manifest names ${wanted.name}, and there is no lockfile`);
  const unclear = own === undefined ? undefined : directFault(project, own, wanted);
  if (unclear !== undefined) return asked(unclear);
  if (own !== undefined && isInRange(own, wanted)) return supply(work);
  await requireSandbox(work.driver, await readDeclaration(work.context));
  const base = await supplyOf(work);
  if (isFault(base)) return asked(base);
  const moved = await updatePackages(work, { ...base, locked: !base.resolved }, wanted);
  return isFault(moved) ? asked(moved) : packed(work, base, moved);
}

async function supplyOf(work: Work, resolveAnew = false): Promise<Supply | LockfileFault> {
  const { context, driver, project } = work;
  const { lockfile } = project;
  if (lockfile !== undefined && !isFault(lockfile.lock) && !resolveAnew)
    return { text: lockfile.text, lock: lockfile.lock, resolved: false };
  if (lockfile !== undefined && isFault(lockfile.lock)) {
    // npm itself carries an old lockfile over; of another's, or one that can't be read, nothing is guessed.
    if (project.manager !== 'npm' || lockfile.lock.code !== 'LOCKFILE-VERSION') return lockfile.lock;
  }
  await requireSandbox(driver, await readDeclaration(context));
  const resolved = await resolveByNpm(work);
  return isFault(resolved) ? resolved : { ...resolved, resolved: true };
}

async function packed(
  work: Work,
  base: Supply,
  moved: Updated | undefined,
  change?: ChangeSupply,
): Promise<TaskResult> {
  const { context, project } = work;
  const made = await packPackages(work, {
    base,
    updated: moved,
    packages: [...base.lock.packages, ...(moved?.lock.packages ?? [])],
    lacking: unlockedEntries(project, base.lock),
    change,
  });
  const needed = made.missing.find(({ name, version }) => isNew(base.lock, moved?.lock, name, version));
  if (needed !== undefined)
    return asked(
      fault(
        'PACKAGES-MISSING',
        `The update needs ${needed.name}@${needed.version}, which can't be had: ${needed.why}. Give the packages worker a registry that has it (FACTORY_NPM_REGISTRY), or choose another range?`,
      ),
    );
  await outputPackages(context, made.file);
  if (base.resolved)
    await context.output({ name: 'lockfile', kind: 'lockfile', mediaType: 'application/json', bytes: base.text });
  const summary = base.resolved
    ? `${base.lock.packages.length} packages, resolved for this request as there is no lockfile to install from`
    : `${base.lock.packages.length} packages in ${base.lock.file} (version ${base.lock.version})`;
  return suppliedWith(work, made, summary, moved?.notes);
}

/** What the manifests ask for and the lockfile has nothing for: the manager will refuse to install from it. */
function unlockedEntries({ manifests, root }: Project, lock: Lock): MissingPackage[] {
  // Resolutions of yarn 1 lead an entry elsewhere than its own range does.
  if (lock.manager === 'yarn' && root.value['resolutions'] !== undefined) return [];
  const members = new Set([...manifests.values()].map(({ name }) => name));
  const served = new Set(lock.requirements.filter(isServed(lock)).map(({ from, key }) => `${from}\n${key}`));
  return [...manifests].flatMap(([path, manifest]) =>
    allEntries(manifest)
      .filter(({ kind, key }) => (kind === 'dependencies' || kind === 'devDependencies') && !members.has(key))
      .filter(({ key }) => !served.has(`${path.split('/').slice(0, -1).join('/')}\n${key}`))
      .map(({ key, text }) =>
        bounded({
          name: key,
          version: text,
          why: `${path} asks for it, and ${lock.file} has nothing for it: bring it up to date`,
        }),
      ),
  );
}

/** yarn 1 keeps no list of what was asked, so there only a locked copy tells; overrides lead elsewhere in the others. */
const isServed =
  ({ manager }: Lock) =>
  ({ to }: Requirement): boolean =>
    manager !== 'yarn' || to !== undefined;

const outputPackages = (context: TaskContext, file: string) =>
  context.output({ name: 'packages', kind: 'packages_cache', mediaType: 'application/x-tar', file });

function suppliedWith(
  { project }: Work,
  { description, missing }: Packed,
  summary: string,
  notes: readonly string[] = [],
): TaskResult {
  const concerns = packageConcerns(description);
  return {
    outcome: {
      verdict: 'ok',
      summary: summary.slice(0, 2_000),
      facts: { ...noFacts, ...(concerns.length === 0 ? {} : { concerns }) },
      unknowns: [...missing.map(shownMissing), ...ignoredSettings(project), ...notes].slice(0, 50),
    },
  };
}

const shownMissing = ({ name, version, why }: MissingPackage): string =>
  `package ${packageLabel(name, version)}: ${why}`.slice(0, 500);

/** A package that only the update brings: without it, what would be delivered can't be installed. */
function isNew(base: Lock, moved: Lock | undefined, name: string, version: string): boolean {
  const has = (lock: Lock): boolean => lock.packages.some((each) => each.name === name && each.version === version);
  return moved !== undefined && has(moved) && !has(base);
}

const noFacts: Facts = { paths: [], manifests: [], testPaths: [] };

const ended = (verdict: 'ok' | 'none' | 'not_applicable', summary: string): TaskResult => ({
  outcome: { verdict, summary, facts: noFacts, unknowns: [] },
});

const asked = ({ code, question }: LockfileFault): TaskResult => ({
  outcome: { verdict: 'needs_human', summary: code, question: question.slice(0, 2_000), facts: noFacts, unknowns: [] },
});
