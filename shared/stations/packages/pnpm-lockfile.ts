import { parse } from 'yaml';
import { z } from 'zod';
import { packageLimits } from './limits.ts';
import { fault, type Lock, type LockedPackage, type LockfileFault, type Requirement, readIntegrity } from './locked.ts';
import { readSpecifier } from './specifier.ts';

/** pnpm's lockfile (pnpm's lockfile format 9.0, and 6.0 of pnpm 8). */
export const PNPM_LOCKFILE = 'pnpm-lock.yaml';

const list = z.array(z.coerce.string()).default([]);
const references = z.record(z.string(), z.coerce.string()).default({});
const asked = z.record(z.string(), z.object({ specifier: z.coerce.string(), version: z.coerce.string() })).default({});
const importer = z.looseObject({ dependencies: asked, devDependencies: asked, optionalDependencies: asked });
const entry = z.looseObject({
  resolution: z.looseObject({
    integrity: z.string().optional(),
    tarball: z.string().optional(),
    type: z.string().optional(),
    directory: z.string().optional(),
  }),
  name: z.string().optional(),
  version: z.coerce.string().optional(),
  os: list,
  cpu: list,
  libc: list,
  dev: z.boolean().optional(),
  optional: z.boolean().default(false),
  requiresBuild: z.boolean().default(false),
  dependencies: references,
  optionalDependencies: references,
});
const snapshot = z.looseObject({
  dependencies: references,
  optionalDependencies: references,
  optional: z.boolean().default(false),
});
const document = z.looseObject({
  lockfileVersion: z.coerce.string(),
  importers: z.record(z.string(), importer).optional(),
  packages: z.record(z.string(), entry).default({}),
  snapshots: z.record(z.string(), snapshot).optional(),
});
type Document = z.infer<typeof document>;

export function readPnpmLockfile(text: string, file = PNPM_LOCKFILE): Lock | LockfileFault {
  const parsed = document.safeParse(parseYaml(text));
  if (!parsed.success)
    return fault(
      'LOCKFILE-UNREADABLE',
      `${file} can't be read as a lockfile. Make it again with pnpm and submit again?`,
    );
  const { lockfileVersion: version, packages } = parsed.data;
  if (!/^(?:9|6)\.\d+$/.test(version))
    return fault(
      'LOCKFILE-VERSION',
      `${file} has lockfileVersion ${version}; 9.0 and 6.0 are served. Write it anew with "pnpm install --lockfile-only" (pnpm 8 or later), commit it and submit again?`,
    );
  if (Object.keys(packages).length > packageLimits.lockfileEntries)
    return fault('PACKAGES-TOO-MANY', `${file} has more than ${packageLimits.lockfileEntries} packages.`);
  const importers = parsed.data.importers ?? { '.': importer.parse(parsed.data) };
  const requirements = requirementsOf(parsed.data, importers);
  const keys = Map.groupBy(requirements, ({ to }) => to ?? '');
  const local = Object.keys(importers)
    .filter((path) => path !== '.')
    .map((path) => folder(path, keys.get(path)));
  return {
    manager: 'pnpm',
    file,
    version,
    packages: [
      ...local,
      ...Object.entries(packages).map(([key, each]) => readEntry(key, each, parsed.data, keys.get(placeOf(key)))),
    ],
    requirements,
  };
}

/** A package's key without the peers it was resolved with: `/a@1.0.0(b@2.0.0)` and `a@1.0.0(b@2.0.0)` are `a@1.0.0`. */
const placeOf = (key: string): string => key.replace(/^\//, '').replace(/\(.*$/, '');

const keysOf = (requirements: readonly Requirement[] | undefined): string[] => [
  ...new Set((requirements ?? []).map(({ key }) => key)),
];

function folder(path: string, requirements: readonly Requirement[] | undefined): LockedPackage {
  const platform = { os: [], cpu: [], libc: [], optional: false };
  const of = { development: undefined, hasInstallScript: false, resolved: undefined, integrity: undefined, platform };
  return {
    place: path,
    keys: keysOf(requirements),
    name: keysOf(requirements)[0] ?? path,
    version: '',
    source: 'local',
    ...of,
  };
}

function readEntry(
  key: string,
  each: z.infer<typeof entry>,
  { snapshots }: Document,
  requirements: readonly Requirement[] | undefined,
): LockedPackage {
  const place = placeOf(key);
  const at = place.lastIndexOf('@');
  const name = each.name ?? (at > 0 ? place.slice(0, at) : place);
  const version = each.version ?? place.slice(at + 1);
  const integrity = readIntegrity(each.resolution.integrity);
  const { os, cpu, libc } = each;
  const optional = each.optional || (snapshots?.[place]?.optional ?? false);
  return {
    place,
    keys: keysOf(requirements),
    name,
    version,
    ...sourceOf(each, version, integrity !== undefined),
    resolved: each.resolution.tarball,
    integrity,
    development: each.dev,
    hasInstallScript: each.requiresBuild,
    platform: { os, cpu, libc, optional },
  };
}

function sourceOf(
  { resolution }: z.infer<typeof entry>,
  version: string,
  promised: boolean,
): Pick<LockedPackage, 'source' | 'why'> {
  if (resolution.type === 'directory' || resolution.directory !== undefined) return { source: 'local' };
  if (resolution.type !== undefined || /[:/]/.test(version) || !promised)
    return {
      source: 'foreign',
      why: `it is locked to ${version.slice(0, 100)} without a digest of a registry's tarball`,
    };
  return { source: 'registry' };
}

function requirementsOf(
  { packages, snapshots }: Document,
  importers: Readonly<Record<string, z.infer<typeof importer>>>,
): Requirement[] {
  const own = Object.entries(importers).flatMap(([path, of]) =>
    Object.entries({ ...of.devDependencies, ...of.dependencies, ...of.optionalDependencies }).map(
      ([key, { specifier, version }]): Requirement => {
        const read = readSpecifier(key, specifier);
        return {
          from: path === '.' ? '' : path,
          key,
          range: read.kind === 'registry' ? read.range : specifier,
          to: referenced(key, version, path),
        };
      },
    ),
  );
  const between = Object.entries(snapshots ?? packages).flatMap(([at, of]) =>
    Object.entries({ ...of.dependencies, ...of.optionalDependencies }).map(
      ([key, reference]): Requirement => ({
        from: placeOf(at),
        key,
        // What was asked for is not in the lockfile, only what it came to.
        range: '*',
        to: referenced(key, reference, '.'),
      }),
    ),
  );
  return [...own, ...between];
}

/** `1.0.0(peer@2.0.0)` is of the key's own name; `other@1.0.0` and `/other@1.0.0` are aliases; `link:` is a folder. */
function referenced(key: string, reference: string, from: string): string | undefined {
  if (reference.startsWith('link:')) return joined(from, reference.slice('link:'.length));
  const plain = placeOf(reference);
  return plain.lastIndexOf('@') > 0 ? plain : `${key}@${plain}`;
}

function joined(from: string, to: string): string {
  const parts = from === '.' ? [] : from.split('/');
  for (const part of to.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > packageLimits.lockfileBytes) return undefined;
  try {
    // A lockfile has no aliases; a document that does is not one.
    return parse(text, { maxAliasCount: 0, schema: 'core' });
  } catch {
    return undefined;
  }
}
