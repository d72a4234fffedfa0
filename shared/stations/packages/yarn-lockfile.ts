import { parseSyml } from '@yarnpkg/parsers';
import { valid } from 'semver';
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
import { allEntries, type Manifest } from './manifest.ts';
import { isRegistryAddress, shownAddress } from './npm-lockfile.ts';
import { readSpecifier } from './specifier.ts';

/** The lockfile of yarn 1 (`classic`) and of yarn 2 and later, which share a name and a syntax. */
export const YARN_LOCKFILE = 'yarn.lock';

const ranges = z.record(z.string(), z.coerce.string()).default({});
const entry = z.looseObject({
  version: z.coerce.string(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  resolution: z.string().optional(),
  checksum: z.string().optional(),
  conditions: z.string().optional(),
  linkType: z.string().optional(),
  dependencies: ranges,
  optionalDependencies: ranges,
});
type Entry = z.infer<typeof entry>;

/** Whether a lockfile is of yarn 2 or later. */
export const isBerryLockfile = (text: string): boolean => /^__metadata:/m.test(text);

/** Reads yarn's lockfile. What the manifests ask for is not in that of yarn 1, so they are asked as well. */
export function readYarnLockfile(
  text: string,
  manifests: ReadonlyMap<string, Manifest>,
  file = YARN_LOCKFILE,
): Lock | LockfileFault {
  const parsed = parse(text);
  if (parsed === undefined)
    return fault(
      'LOCKFILE-UNREADABLE',
      `${file} can't be read as a lockfile. Make it again with yarn and submit again?`,
    );
  const { version, entries } = parsed;
  if (entries.length > packageLimits.lockfileEntries)
    return fault('PACKAGES-TOO-MANY', `${file} has more than ${packageLimits.lockfileEntries} packages.`);
  const berry = isBerryLockfile(text);
  const places = new Map(entries.flatMap(([key]) => key.split(/,\s*/).map((pattern) => [pattern, placeOf(key)])));
  const patched = new Set(entries.flatMap(([, { resolution = '' }]) => patchedBy(resolution) ?? []));
  return {
    manager: berry ? 'berry' : 'yarn',
    file,
    version: berry ? version : '1',
    packages: entries.flatMap(([key, each]) => readEntry(key, each, berry, patched)),
    requirements: [
      ...(berry ? [] : [...manifests].flatMap(([path, manifest]) => asked(path, manifest, places))),
      ...entries.flatMap(([key, each]) => between(key, each, berry, places)),
    ],
  };
}

/** An entry of yarn 1's lockfile that says all of a package but its files. */
export type SettledEntry = {
  readonly name: string;
  readonly version: string;
  /** Of the tarball, in hex, as yarn appends it to the address. */
  readonly sha1: string | undefined;
  readonly integrity: string | undefined;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

/** The entries of yarn 1's lockfile that lead to a registry's tarball and state a digest of it; none of what can't be read. */
export function readSettledEntries(text: string): SettledEntry[] {
  return (parse(text)?.entries ?? []).flatMap(([key, each]) => {
    const { version, resolved, integrity, dependencies, optionalDependencies } = each;
    const name = typeof each['name'] === 'string' ? each['name'] : keyOf(key);
    const isPlain = ['uid', 'registry', 'permissions', 'prebuiltVariants'].every((field) => each[field] === undefined);
    if (!isPlain || !isPackageName(name) || valid(version) !== version) return [];
    if (classicSource(each).source !== 'registry') return [];
    return [{ name, version, sha1: fragment(resolved)?.hex, integrity, dependencies, optionalDependencies }];
  });
}

function parse(text: string): { version: string; entries: [string, Entry][] } | undefined {
  if (Buffer.byteLength(text) > packageLimits.lockfileBytes) return undefined;
  try {
    const { __metadata: metadata, ...rest } = parseSyml(text) as Record<string, unknown>;
    const version = z.looseObject({ version: z.coerce.string() }).safeParse(metadata);
    const entries = Object.entries(rest).map(([key, value]): [string, Entry] => [key, entry.parse(value)]);
    return { version: version.success ? version.data.version : '', entries };
  } catch {
    return undefined;
  }
}

/** A workspace's place is its folder, another's its key. */
function placeOf(key: string): string {
  const [, folder] = /@workspace:([^,]+)(?:,|$)/.exec(key) ?? [];
  return folder === undefined ? key : folder === '.' ? '' : folder;
}

/** `a@^1`, `@s/a@npm:^1`: the name before the last at-sign that begins a range. */
function keyOf(pattern: string): string {
  const at = pattern.indexOf('@', 1);
  return at < 0 ? pattern : pattern.slice(0, at);
}

/** `a@^1, a@^2`: what a copy is asked for by. */
export const patternsOf = ({ place }: LockedPackage): string[] => place.split(/,\s*/);

/** The range that a pattern asks a registry for, of a patched package that of the package; undefined for another source. */
export function patternRange(pattern: string): string | undefined {
  const text = pattern.slice(keyOf(pattern).length + 1);
  const [, patched] = /^patch:(?:@[^/]+\/)?[^@]+@([^#]+)#/.exec(text) ?? [];
  const plain = (patched === undefined ? text : decodeURIComponent(patched)).replace(/^npm:(?=[\^~<>=*\dvx ]|$)/, '');
  const specifier = readSpecifier(keyOf(pattern), plain);
  return specifier.kind === 'registry' ? specifier.range : undefined;
}

/** The lockfile's text without some patterns, and without the entries that have none left. yarn orders it anew. */
export function withoutPatterns(text: string, gone: ReadonlySet<string>): string {
  const berry = isBerryLockfile(text);
  return text
    .split(/^(?=[^\s:])/m)
    .flatMap((block) => {
      const [, stated] = /^(?:\? )?([^\r\n]+?)(?:\r?\n)?:[ \t]*\r?\n(?=[ \t])/.exec(block) ?? [];
      if (stated === undefined || block.startsWith('#') || block.startsWith('__metadata')) return [block];
      const patterns = stated.split(/,\s*/).map((pattern) => pattern.replace(/^"|"$/g, ''));
      const left = patterns.filter((pattern) => !gone.has(pattern));
      if (left.length === patterns.length) return [block];
      if (left.length === 0) return [];
      const key = berry ? JSON.stringify(left.join(', ')) : left.map((pattern) => JSON.stringify(pattern)).join(', ');
      return [`${key}:\n${block.slice(block.search(/\n[ \t]/) + 1)}`];
    })
    .join('');
}

/**
 * What a patched package is made of, as its own entry resolves it: `a@npm:1.0.0` of
 * `a@patch:a@npm%3A1.0.0#optional!builtin<compat/a>…`.
 */
function patchedBy(resolution: string): string | undefined {
  const [, source] = /^@?[^@]+@patch:([^#]+)#/.exec(resolution) ?? [];
  return source === undefined ? undefined : decodeURIComponent(source);
}

function readEntry(key: string, each: Entry, berry: boolean, patched: ReadonlySet<string>): LockedPackage[] {
  const place = placeOf(key);
  if (berry && place === '') return [];
  const patterns = key.split(/,\s*/);
  const keys = [...new Set(patterns.map(keyOf))];
  const name = berry ? keyOf(each.resolution ?? key) : (nameOf(patterns[0] ?? key, each.resolved) ?? keys[0] ?? key);
  return [
    {
      place,
      keys,
      name,
      version: each.version,
      ...(berry ? berrySource(each) : classicSource(each)),
      resolved: each.resolved?.split('#')[0],
      integrity: readIntegrity(each.integrity) ?? fragment(each.resolved),
      ...(each.checksum === undefined ? {} : { checksum: each.checksum }),
      ...(patched.has(each.resolution ?? '') ? { everywhere: true } : {}),
      development: undefined,
      hasInstallScript: false,
      platform: platformOf(each.conditions),
    },
  ];
}

function nameOf(pattern: string, resolved: string | undefined): string | undefined {
  const specifier = readSpecifier(keyOf(pattern), pattern.slice(keyOf(pattern).length + 1));
  if (specifier.kind === 'registry' && specifier.prefix !== '') return specifier.name;
  const path = decodeURIComponent(URL.parse(resolved ?? '')?.pathname ?? '');
  return /((?:@[^/]+\/)?[^/@]+)\/-\//.exec(path)?.[1];
}

/** yarn 1 appended `#<sha1>` before it knew integrity. */
function fragment(resolved: string | undefined) {
  const [, hex] = /#([0-9a-f]{40})$/.exec(resolved ?? '') ?? [];
  return hex === undefined ? undefined : ({ algorithm: 'sha1', hex } as const);
}

function classicSource({ resolved, integrity }: Entry): Pick<LockedPackage, 'source' | 'why'> {
  if (resolved === undefined) return { source: 'local' };
  if (!isRegistryAddress(resolved) || !/\.tgz(?:#|$|\?)/.test(resolved))
    return { source: 'foreign', why: `it comes from ${shownAddress(resolved)}, which is no registry` };
  if (readIntegrity(integrity) === undefined && fragment(resolved) === undefined)
    return { source: 'foreign', why: "it has no digest, so its bytes can't be told from others" };
  return { source: 'registry' };
}

function berrySource({ resolution = '', linkType }: Entry): Pick<LockedPackage, 'source' | 'why'> {
  if (linkType === 'soft') return { source: 'local' };
  const range = resolution.slice(keyOf(resolution).length + 1);
  if (/^npm:[^:]+$/.test(range)) return { source: 'registry' };
  // Made by yarn of a package that has an entry of its own.
  if (range.startsWith('patch:') || range.startsWith('virtual:'))
    return { source: 'bundled', why: 'yarn makes it with a patch, of a version that the patch names' };
  return { source: 'foreign', why: `it comes from ${shownAddress(range)}, which is no registry` };
}

/** `os=linux & cpu=(x64 | arm64)` of yarn 2 and later. */
function platformOf(conditions: string | undefined): LockedPackage['platform'] {
  const of = (name: string): string[] => {
    const [, values] = new RegExp(`${name}=(\\([^)]*\\)|[^&\\s]+)`).exec(conditions ?? '') ?? [];
    return values === undefined ? [] : values.replace(/[()]/g, '').split(/\s*\|\s*/);
  };
  return { os: of('os'), cpu: of('cpu'), libc: of('libc'), optional: conditions !== undefined };
}

function asked(path: string, manifest: Manifest, places: ReadonlyMap<string, string>): Requirement[] {
  return allEntries(manifest).flatMap(({ kind, key, text, specifier }) =>
    kind === 'override' || kind === 'peerDependencies'
      ? []
      : [
          {
            from: path.split('/').slice(0, -1).join('/'),
            key,
            range: specifier.kind === 'registry' ? specifier.range : text,
            to: places.get(`${key}@${text}`),
          },
        ],
  );
}

function between(key: string, each: Entry, berry: boolean, places: ReadonlyMap<string, string>): Requirement[] {
  return Object.entries({ ...each.dependencies, ...each.optionalDependencies }).map(([name, text]) => {
    const specifier = readSpecifier(name, text.replace(/^npm:(?=[\^~<>=*\dvx ]|$)/, ''));
    return {
      from: placeOf(key),
      key: name,
      range: specifier.kind === 'registry' ? specifier.range : text,
      to: places.get(`${name}@${text}`) ?? (berry ? places.get(`${name}@npm:${text}`) : undefined),
    };
  });
}
