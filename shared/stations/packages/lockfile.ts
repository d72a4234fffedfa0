import { z } from 'zod';
import { packageLimits } from './limits.ts';

/** Why a manifest or lockfile can't be worked with, for a person: `code` is stable. */
export type LockfileFault = { readonly code: string; readonly question: string };

export type LockedPackage = {
  /** Where npm puts it, e.g. `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** Address the lockfile records; absent where npm was told to omit it. */
  readonly resolved: string | undefined;
  /** sha512 in base64. Absent only for a package bundled inside another's tarball. */
  readonly sha512: string | undefined;
  /** It runs a command of its own when it is installed. */
  readonly hasInstallScript: boolean;
  readonly platform: {
    readonly os: readonly string[];
    readonly cpu: readonly string[];
    readonly libc: readonly string[];
    readonly optional: boolean;
  };
};

export type Manifest = {
  readonly text: string;
  readonly dependencies: Readonly<Record<DependencyKind, Readonly<Record<string, string>>>>;
};
export const DEPENDENCY_KINDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
] as const;
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

const names = z.union([z.array(z.string()), z.string().transform((name) => [name])]).default([]);
const lockEntry = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  hasInstallScript: z.boolean().default(false),
  optional: z.boolean().default(false),
  os: names,
  cpu: names,
  libc: names,
});
const lockfile = z.looseObject({ lockfileVersion: z.number(), packages: z.record(z.string(), lockEntry).default({}) });
const specifiers = z.record(z.string(), z.string()).default({});
const manifest = z.looseObject({
  workspaces: z.unknown().optional(),
  dependencies: specifiers,
  devDependencies: specifiers,
  optionalDependencies: specifiers,
  peerDependencies: specifiers,
});

/** Reads a manifest, refusing workspaces and what does not come from a registry. */
export function readManifest(text: string): Manifest | LockfileFault {
  const parsed = manifest.safeParse(parseJson(text, packageLimits.manifestBytes));
  if (!parsed.success)
    return fault(
      'MANIFEST-UNREADABLE',
      'package.json is not a manifest that can be read. Correct it and submit again?',
    );
  const { workspaces, ...rest } = parsed.data;
  if (workspaces !== undefined)
    return fault(
      'PACKAGES-WORKSPACES',
      'package.json declares workspaces, which this line does not handle. Update the package by hand, or split the repository?',
    );
  for (const kind of DEPENDENCY_KINDS) {
    for (const [name, specifier] of Object.entries(rest[kind])) {
      if (isForeign(specifier)) return foreign(`${kind}.${name} in package.json`, specifier);
    }
  }
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = rest;
  return { text, dependencies: { dependencies, devDependencies, optionalDependencies, peerDependencies } };
}

/** Reads a version 3 lockfile: every package from a registry and with a sha512, or a fault. */
export function readLockfile(text: string): readonly LockedPackage[] | LockfileFault {
  const parsed = lockfile.safeParse(parseJson(text, packageLimits.lockfileBytes));
  if (!parsed.success)
    return fault(
      'LOCKFILE-UNREADABLE',
      "package-lock.json can't be read as a lockfile. Make it again with npm and submit again?",
    );
  if (parsed.data.lockfileVersion !== 3) {
    return fault(
      'LOCKFILE-VERSION',
      `package-lock.json has lockfileVersion ${parsed.data.lockfileVersion}; version 3 is handled. Make it again with npm 7 or later and submit again?`,
    );
  }
  const entries = Object.entries(parsed.data.packages).filter(([path]) => path !== '');
  if (entries.length > packageLimits.lockfileEntries)
    return fault(
      'PACKAGES-TOO-MANY',
      `package-lock.json has ${entries.length} packages, more than ${packageLimits.lockfileEntries}.`,
    );
  const packages: LockedPackage[] = [];
  for (const [path, entry] of entries) {
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (entry.link === true || !path.startsWith('node_modules/'))
      return fault(
        'PACKAGES-WORKSPACES',
        `package-lock.json links ${path.slice(0, 300)}; linked packages and workspaces are not handled. Update by hand?`,
      );
    if (entry.resolved !== undefined && !/^https?:\/\/[^?#]+\.tgz$/.test(entry.resolved))
      return foreign(`${path} in package-lock.json`, entry.resolved);
    const sha512 = entry.integrity
      ?.split(/\s+/)
      .map((part) => /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(part)?.[1])
      .find((part) => part !== undefined);
    if (sha512 === undefined && entry.inBundle !== true)
      return fault(
        'PACKAGES-NO-INTEGRITY',
        `${path.slice(0, 300)} in package-lock.json has no sha512 integrity, so its bytes can't be told from others. Make the lockfile again with npm and submit again?`,
      );
    if (!isPackageName(name) || entry.version === undefined)
      return foreign(`${path} in package-lock.json`, entry.version ?? name);
    packages.push({
      path,
      name,
      version: entry.version,
      resolved: entry.resolved,
      sha512,
      hasInstallScript: entry.hasInstallScript,
      platform: { os: entry.os, cpu: entry.cpu, libc: entry.libc, optional: entry.optional },
    });
  }
  return packages;
}

export const isFault = (value: object): value is LockfileFault => 'question' in value;

/** Where every registry keeps a package's tarball, below its own address. */
export function usualTarballPath(name: string, version: string): string {
  return `${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

/** Versions of a package that a lockfile holds, each once, in order. */
export function lockedVersions(packages: readonly LockedPackage[], name: string): string[] {
  return [...new Set(packages.filter((locked) => locked.name === name).map(({ version }) => version))].sort();
}

const isPackageName = (name: string): boolean =>
  /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/.test(name) && name.length <= 214;

/** Anything but a range, a tag or an alias to one: git, addresses, files, links (npm's package.json, "dependencies"). */
function isForeign(specifier: string): boolean {
  const plain = specifier.trim().replace(/^npm:(@[^/@]+\/)?[^/@]+@?/, '');
  return /[/:]/.test(plain) || /^[.~]\//.test(plain) || plain.startsWith('file') || plain.endsWith('.tgz');
}

function foreign(where: string, what: string): LockfileFault {
  const shown = what.replace(/\/\/[^/@]*@/, '//').slice(0, 200);
  return fault(
    'PACKAGES-FORBIDDEN-SOURCE',
    `${where.slice(0, 300)} comes from ${shown}, and only packages of a registry are fetched. Publish it to the registry, or take it out?`,
  );
}

function fault(code: string, question: string): LockfileFault {
  return { code, question };
}

function parseJson(text: string, limit: number): unknown {
  if (Buffer.byteLength(text) > limit) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
