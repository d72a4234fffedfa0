import { z } from 'zod';
import { packageLimits } from './limits.ts';
import {
  fault,
  isPackageName,
  type Lock,
  type LockedPackage,
  type LockfileFault,
  type Requirement,
  readIntegrity,
} from './locked.ts';
import { readSpecifier } from './specifier.ts';

/** npm's lockfile by both its names (npm's package-lock.json); npm reads the first that is there. */
export const NPM_LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json'] as const;

const names = z.union([z.array(z.string()), z.string().transform((name) => [name])]).default([]);
const ranges = z.record(z.string(), z.string()).default({});
const flag = z.boolean().default(false);
const lockEntry = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: flag,
  inBundle: flag,
  hasInstallScript: flag,
  optional: flag,
  dev: flag,
  devOptional: flag,
  os: names,
  cpu: names,
  libc: names,
  dependencies: ranges,
  devDependencies: ranges,
  optionalDependencies: ranges,
  peerDependencies: ranges,
});
type LockEntry = z.infer<typeof lockEntry>;
const lockfile = z.looseObject({ lockfileVersion: z.number(), packages: z.record(z.string(), lockEntry).optional() });

/** Reads npm's lockfile of version 2 or 3; what can't be fetched of it is marked, not refused. */
export function readNpmLockfile(text: string, file = 'package-lock.json'): Lock | LockfileFault {
  const parsed = lockfile.safeParse(parseJson(text));
  if (!parsed.success)
    return fault(
      'LOCKFILE-UNREADABLE',
      `${file} can't be read as a lockfile. Make it again with npm and submit again?`,
    );
  const { lockfileVersion, packages } = parsed.data;
  if (packages === undefined || (lockfileVersion !== 2 && lockfileVersion !== 3))
    return fault(
      'LOCKFILE-VERSION',
      `${file} has lockfileVersion ${lockfileVersion}; versions 2 and 3 are served. Write it anew with "npm install --package-lock-only --lockfile-version=3" (npm 7 or later), commit it and submit again?`,
    );
  const entries = Object.entries(packages).filter(([place]) => place !== '');
  if (entries.length > packageLimits.lockfileEntries)
    return fault(
      'PACKAGES-TOO-MANY',
      `${file} has ${entries.length} packages, more than ${packageLimits.lockfileEntries}.`,
    );
  return {
    manager: 'npm',
    file,
    version: String(lockfileVersion),
    // A link is a name for a folder, which has an entry of its own.
    packages: entries.filter(([, { link }]) => !link).map(([place, entry]) => readEntry(place, entry, packages)),
    requirements: requirementsOf(packages),
  };
}

const modules = 'node_modules/';
const keyOf = (place: string): string => place.slice(place.lastIndexOf(modules) + modules.length);

function readEntry(place: string, entry: LockEntry, all: Readonly<Record<string, LockEntry>>): LockedPackage {
  const local = !place.split('/').includes('node_modules');
  const links = local
    ? Object.entries(all).flatMap(([at, { link, resolved }]) => (link && resolved === place ? [keyOf(at)] : []))
    : [keyOf(place)];
  const name = entry.name ?? nameFromAddress(entry.resolved) ?? links[0] ?? place;
  return {
    place,
    keys: links,
    name,
    version: entry.version ?? '',
    ...sourceOf(local, name, entry),
    resolved: entry.resolved,
    integrity: readIntegrity(entry.integrity),
    development: entry.dev || entry.devOptional,
    hasInstallScript: entry.hasInstallScript,
    platform: { os: entry.os, cpu: entry.cpu, libc: entry.libc, optional: entry.optional || entry.devOptional },
  };
}

function sourceOf(local: boolean, name: string, entry: LockEntry): Pick<LockedPackage, 'source' | 'why'> {
  if (local) return { source: 'local' };
  if (entry.inBundle) return { source: 'bundled' };
  if (entry.resolved !== undefined && !isRegistryAddress(entry.resolved))
    return { source: 'foreign', why: `it comes from ${shownAddress(entry.resolved)}, which is no registry` };
  if (!isPackageName(name) || entry.version === undefined)
    return { source: 'foreign', why: 'its name or version is not of a form that a registry has' };
  if (readIntegrity(entry.integrity) === undefined)
    return { source: 'foreign', why: "it has no integrity, so its bytes can't be told from others" };
  return { source: 'registry' };
}

/** `<registry>/<name>/-/<file>.tgz` tells the name, whatever the folder is called. */
function nameFromAddress(resolved: string | undefined): string | undefined {
  const path = resolved === undefined ? undefined : URL.parse(resolved)?.pathname.replaceAll(/%2f/gi, '/');
  const name = /((?:@[^/]+\/)?[^/@]+)\/-\/[^?#]+\.tgz$/.exec(path ?? '')?.[1];
  return name !== undefined && isPackageName(name) ? name : undefined;
}

/** A tarball over HTTP; npm appends `#<sha1>` in lockfiles that were once of version 1, and some registries ask with a query. */
export function isRegistryAddress(resolved: string): boolean {
  const url = URL.parse(resolved);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && !/\.git$/.test(url.pathname);
}

/** An address without the credentials that it may hold. */
export function shownAddress(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//').slice(0, 200);
}

function requirementsOf(all: Readonly<Record<string, LockEntry>>): Requirement[] {
  return Object.entries(all).flatMap(([from, entry]) => {
    if (entry.link) return [];
    const own = from === '' || !from.split('/').includes('node_modules');
    const installed = {
      ...(own ? entry.devDependencies : {}),
      ...entry.dependencies,
      ...entry.optionalDependencies,
    };
    return Object.entries({ ...entry.peerDependencies, ...installed }).map(([key, text]) => {
      const specifier = readSpecifier(key, text);
      return {
        from,
        key,
        range: specifier.kind === 'registry' ? specifier.range : text,
        ...(Object.hasOwn(installed, key) ? {} : { peer: true as const }),
        to: resolve(all, from, key),
      };
    });
  });
}

/** Where Node's resolution finds a name from a place: beside it, then in each folder above (Node.js, "Loading from node_modules folders"). */
function resolve(all: Readonly<Record<string, LockEntry>>, from: string, key: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = folder === '' ? `${modules}${key}` : `${folder}/${modules}${key}`;
    if (Object.hasOwn(all, place)) {
      const found = all[place];
      return found?.link === true ? found.resolved : place;
    }
    if (folder === '') return undefined;
  }
}

function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > packageLimits.lockfileBytes) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
