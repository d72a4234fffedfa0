import { join } from 'node:path';
import { digestOfBytes } from '../../domain/digest.ts';
import type { TaskContext } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { writeArchive } from './archive.ts';
import { fetchContents } from './contents.ts';
import { packageLimits } from './limits.ts';
import { type Integrity, isFault, type Lock, type LockedPackage, usualTarballPath } from './locked.ts';
import { packageLabel } from './open-packages.ts';
import {
  cacheNames,
  contentPlace,
  type MissingPackage,
  type PackageCache,
  type PackageFiles,
  type ServedIndex,
} from './package-cache.ts';
import type { Project } from './project.ts';
import type { Registry } from './registry.ts';
import type { Updated } from './update.ts';

/** What one job fetches with and for. */
export type Work = {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly registry: Registry;
  readonly project: Project;
};

/** What the base is installed from: its own lockfile, or one that was resolved for this request. */
export type Supply = { readonly text: string; readonly lock: Lock; readonly resolved: boolean };

/** What an install of the change needs, as far as that is known before it is built. */
export type ChangeSupply = {
  readonly packages: readonly LockedPackage[];
  /** Manifests and the lockfile that was resolved for them, where the change has none to install from. */
  readonly target?: PackageFiles;
  readonly lacking: readonly MissingPackage[];
  readonly unlocked: readonly MissingPackage[];
};

export type Packed = {
  readonly file: string;
  readonly description: PackageCache;
  readonly missing: readonly MissingPackage[];
};

export type Packing = {
  readonly base?: Supply;
  readonly updated?: Updated | undefined;
  readonly packages?: readonly LockedPackage[];
  readonly lacking: readonly MissingPackage[];
  readonly change?: ChangeSupply | undefined;
};

/** Fetches every package of a packing and writes the archive that installs are made from; names what could not be had. */
export async function packPackages({ context, registry, project }: Work, packing: Packing): Promise<Packed> {
  const { base, change, updated, packages: own = [] } = packing;
  const target = updated?.target ?? change?.target;
  const packages = [...own, ...(change?.packages ?? [])];
  const ofBase = new Set(own.map(({ name, version }) => packageLabel(name, version)));
  const file = join(context.directory, 'packages.tar');
  const archive = await writeArchive(file);
  const add = (name: string, text: string): Promise<void> => archive.add(name, new TextEncoder().encode(text));
  try {
    let contents = 0;
    const held = new Map<string, Integrity>();
    const byName = new Map<string, Integrity>();
    const missing = missingBy(packing.lacking);
    const missingOfChange = missingBy(change?.lacking ?? []);
    for await (const content of fetchContents(registry, packages)) {
      if ('missing' in content) {
        const label = packageLabel(content.missing.name, content.missing.version);
        (change === undefined || ofBase.has(label) ? missing : missingOfChange).set(label, content.missing);
        continue;
      }
      const { integrity, bytes, locked } = content;
      await archive.add(cacheNames.content(integrity), bytes);
      contents += 1;
      held.set(`${integrity.algorithm} ${integrity.hex}`, integrity);
      if (locked.integrity === undefined) byName.set(`${locked.name} ${locked.version}`, integrity);
    }
    if (project.manager !== 'npm') await add(cacheNames.index, JSON.stringify(indexOf(packages, held, byName)));
    if (base?.resolved === true)
      await add(
        cacheNames.base,
        JSON.stringify({ files: {}, lockfile: { file: base.lock.file, text: base.text } } satisfies PackageFiles),
      );
    if (target !== undefined) await add(cacheNames.target, JSON.stringify(target));
    const description: PackageCache = {
      schemaVersion: 1,
      registry: registry.base,
      base: digestOfBytes(base?.text ?? ''),
      target: target === undefined ? null : digestOfBytes(target.lockfile.text),
      contents,
      manager: project.manager,
      ...(lockVersion(project) === undefined ? {} : { lockfileVersion: lockVersion(project) }),
      missing: named(missing),
      missingCount: missing.size,
      ...(change === undefined
        ? {}
        : {
            change: {
              missing: named(missingOfChange),
              missingCount: missingOfChange.size,
              unlocked: named(missingBy(change.unlocked)),
            },
          }),
      ...(base?.resolved === true ? { resolvedAt: new Date().toISOString() } : {}),
      ...(updated?.release === undefined ? {} : { updatedBy: updated.release }),
      notes: [...ignoredSettings(project), ...(updated?.notes ?? []), ...uncheckedBytes(project)],
    };
    await add(cacheNames.description, JSON.stringify(description));
    return { file, description, missing: [...missing.values(), ...missingOfChange.values()] };
  } finally {
    await archive.close();
  }
}

const missingBy = (missing: readonly MissingPackage[]): Map<string, MissingPackage> =>
  new Map(missing.map((each) => [packageLabel(each.name, each.version), each]));

const named = (missing: ReadonlyMap<string, MissingPackage>): MissingPackage[] =>
  [...missing.values()].slice(0, packageLimits.named).map(bounded);

/** Every package that is here by the path that its manager asks a registry for. */
function indexOf(
  packages: readonly LockedPackage[],
  held: ReadonlyMap<string, Integrity>,
  byName: ReadonlyMap<string, Integrity>,
): ServedIndex {
  const served = new Map<string, ServedIndex[number]>();
  for (const { name, version, resolved, integrity } of packages) {
    const found =
      integrity === undefined ? byName.get(`${name} ${version}`) : held.get(`${integrity.algorithm} ${integrity.hex}`);
    if (found === undefined) continue;
    const path = usualTarballPath(name, version);
    served.set(`${path} ${resolved ?? ''}`, {
      path,
      content: contentPlace(found),
      ...(resolved === undefined ? {} : { url: resolved }),
    });
  }
  return [...served.values()];
}

/** A package that could not be had, within what the artifact holds. */
export const bounded = ({ name, version, why }: MissingPackage): MissingPackage => ({
  name: name.slice(0, 300),
  version: version.slice(0, 300),
  why: why.slice(0, 300),
});

/** Settings of .npmrc that were passed over, in words. */
export function ignoredSettings({ settings }: Project): string[] {
  return settings.ignored.length === 0
    ? []
    : [`Keys of .npmrc that are not read when packages are fetched: ${settings.ignored.join(', ')}`.slice(0, 500)];
}

const lockVersion = ({ lockfile }: Project): string | undefined =>
  lockfile === undefined || isFault(lockfile.lock) ? undefined : lockfile.lock.version;

function uncheckedBytes({ manager }: Project): string[] {
  return manager === 'berry'
    ? [
        'yarn.lock holds no digests of tarballs: what the registry gave was taken, and yarn holds its own checksums against it',
      ]
    : [];
}
