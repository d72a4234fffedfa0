import { join } from 'node:path';
import { satisfies, validRange } from 'semver';
import { digestOfBytes } from '../../domain/digest.ts';
import { type TaskContext, TaskFailure, type TaskResult } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import { openBase } from '../work/base.ts';
import { readDeclaration, readPacket } from '../work/inputs.ts';
import { requireSandbox } from '../work/sandbox-permission.ts';
import { writeArchive } from './archive.ts';
import { type Content, fetchContents } from './contents.ts';
import {
  isFault,
  type LockedPackage,
  type LockfileFault,
  lockedVersions,
  type Manifest,
  readLockfile,
  readManifest,
} from './lockfile.ts';
import { cacheNames, type PackageCache } from './package-cache.ts';
import { openRegistry, type Registry, RegistryRefusal } from './registry.ts';
import { resolveTarget, type Target } from './resolve-target.ts';

export type PackagesConfiguration = { readonly driver: SandboxDriver; readonly registry: string };

/**
 * The task `fetch-packages`: everything an offline `npm ci` of the base needs, where the application declares a prepare command,
 * and, for a dependency update, the target manifest and lockfile and what an `npm ci` of those needs. Holds no credential. Writes the output `packages`.
 */
export async function fetchPackagesTask(
  context: TaskContext,
  configuration: PackagesConfiguration,
): Promise<TaskResult> {
  const packet = await readPacket(context);
  const { line } = packet;
  const update = line.name === 'dependency-update' ? line : undefined;
  // Packages are there for the prepare command: without one nothing installs them, and a lockfile nobody reads is no reason to stop.
  if (update === undefined && (await readDeclaration(context)).prepare === undefined)
    return ended('none', 'the application declares no prepare command that would install packages');
  const base = await openBase(context);
  const text = async (path: string) => readTreeFile(base.repository, base.tree, path, context.signal);
  const manifestText = await text('package.json');
  const lockfileText = await text('package-lock.json');
  if (manifestText === undefined || lockfileText === undefined)
    return ended('none', 'the repository has no package.json with a package-lock.json beside it at its root');

  const manifest = readManifest(manifestText);
  if (isFault(manifest)) return asked(manifest);
  const locked = readLockfile(lockfileText);
  if (isFault(locked)) return asked(locked);
  if (update !== undefined && !locked.some(({ name }) => name === update.package))
    return ended('not_applicable', `${update.package} is not in the lockfile`);

  try {
    const registry = openRegistry(configuration.registry, context.signal);
    const moved =
      update === undefined || isInside(locked, update)
        ? undefined
        : await moveInto(context, configuration.driver, registry, manifest, lockfileText, update);
    if (moved !== undefined && isFault(moved)) return asked(moved);
    const file = await pack(context, registry, lockfileText, moved?.target, [...locked, ...(moved?.locked ?? [])]);
    await context.output({ name: 'packages', kind: 'packages_cache', mediaType: 'application/x-tar', file });
    return ended('ok', `${locked.length} packages in the lockfile`);
  } catch (error) {
    if (error instanceof RegistryRefusal) throw new TaskFailure(failureOf(error));
    throw error;
  }
}

type Update = { readonly package: string; readonly range: string };

async function moveInto(
  context: TaskContext,
  driver: SandboxDriver,
  registry: Registry,
  manifest: Manifest,
  lockfile: string,
  update: Update,
): Promise<{ readonly target: Target; readonly locked: readonly LockedPackage[] } | LockfileFault> {
  await requireSandbox(driver, await readDeclaration(context));
  if (validRange(update.range) === null)
    return {
      code: 'RANGE-INVALID',
      question: `${update.range} is not a semver range. Correct the packet's line.range and submit again?`,
    };
  const target = await resolveTarget({
    context,
    driver,
    registry,
    manifest,
    lockfile,
    packageName: update.package,
    range: update.range,
  });
  const targetManifest = readManifest(target.manifest);
  if (isFault(targetManifest)) return targetManifest;
  const locked = readLockfile(target.lockfile);
  if (isFault(locked)) return locked;
  if (isInside(locked, update)) return { target, locked };
  const versions = lockedVersions(locked, update.package).join(', ') || 'none';
  return {
    code: 'PACKAGES-NOT-IN-RANGE',
    question: `${update.package} can't be moved into ${update.range} by npm alone: ${versions} would be locked, as other packages depend on it. Update what depends on it, or add an override by hand?`,
  };
}

function isInside(locked: readonly LockedPackage[], update: Update): boolean {
  const versions = lockedVersions(locked, update.package);
  return versions.length > 0 && versions.every((version) => satisfies(version, update.range));
}

async function pack(
  context: TaskContext,
  registry: Registry,
  baseLockfile: string,
  target: Target | undefined,
  packages: readonly LockedPackage[],
): Promise<string> {
  const file = join(context.directory, 'packages.tar');
  const archive = await writeArchive(file);
  const add = (name: string, text: string): Promise<void> => archive.add(name, new TextEncoder().encode(text));
  try {
    let contents = 0;
    for await (const { sha512, bytes } of fetchContents(registry, packages) as AsyncIterable<Content>) {
      await archive.add(cacheNames.content(sha512), bytes);
      contents += 1;
    }
    if (target !== undefined) {
      await add(cacheNames.manifest, target.manifest);
      await add(cacheNames.lockfile, target.lockfile);
    }
    const description: PackageCache = {
      schemaVersion: 1,
      registry: registry.base,
      base: digestOfBytes(baseLockfile),
      target: target === undefined ? null : digestOfBytes(target.lockfile),
      contents,
    };
    await add(cacheNames.description, JSON.stringify(description));
  } finally {
    await archive.close();
  }
  return file;
}

const noFacts = { paths: [], manifests: [], testPaths: [] };

const ended = (verdict: 'ok' | 'none' | 'not_applicable', summary: string): TaskResult => ({
  outcome: { verdict, summary, facts: noFacts, unknowns: [] },
});

const asked = ({ code, question }: LockfileFault): TaskResult => ({
  outcome: { verdict: 'needs_human', summary: code, question: question.slice(0, 2_000), facts: noFacts, unknowns: [] },
});

function failureOf({ code, message, passing }: RegistryRefusal) {
  if (passing) return { kind: 'retryable', class: 'transient_infra', code, message: message.slice(0, 2_000) } as const;
  return {
    kind: 'needs_human',
    code,
    question: `${message.slice(0, 1_500)}. Correct what is locked or the registry, and submit again?`,
  } as const;
}
