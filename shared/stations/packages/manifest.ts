import { parse } from 'yaml';
import { z } from 'zod';
import { packageLimits } from './limits.ts';
import { fault, isFault, type LockfileFault } from './locked.ts';
import { readSpecifier, type Specifier } from './specifier.ts';

export const DEPENDENCY_KINDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
] as const;
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

/** Keys of a manifest that say which packages are installed, beside the four kinds of dependencies. */
const OVERRIDE_KEYS = [['overrides'], ['resolutions'], ['pnpm', 'overrides']] as const;

const specifiers = z.record(z.string(), z.string()).default({});
const manifest = z.looseObject({
  name: z.string().optional(),
  packageManager: z.string().optional(),
  workspaces: z.unknown().optional(),
  dependencies: specifiers,
  devDependencies: specifiers,
  optionalDependencies: specifiers,
  peerDependencies: specifiers,
});

export type Manifest = {
  /** `yaml`: settings of pnpm or yarn with catalogs and overrides. */
  readonly form: 'json' | 'yaml';
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly name: string | undefined;
  readonly packageManager: string | undefined;
  readonly workspaces: boolean;
  readonly dependencies: Readonly<Record<DependencyKind, Readonly<Record<string, string>>>>;
};

/** Where a manifest says what it wants of a package. */
export type ManifestEntry = {
  readonly location: readonly string[];
  readonly kind: DependencyKind | 'override' | 'catalog';
  readonly key: string;
  readonly text: string;
  readonly specifier: Specifier;
};

export function readManifest(text: string, path = 'package.json'): Manifest | LockfileFault {
  const parsed = manifest.safeParse(parseJson(text));
  if (!parsed.success)
    return fault('MANIFEST-UNREADABLE', `${path} is not a manifest that can be read. Correct it and submit again?`);
  const { dependencies, devDependencies, optionalDependencies, peerDependencies, ...rest } = parsed.data;
  return {
    form: 'json',
    text,
    value: parsed.data,
    name: rest.name,
    packageManager: rest.packageManager,
    workspaces: rest.workspaces !== undefined,
    dependencies: { dependencies, devDependencies, optionalDependencies, peerDependencies },
  };
}

const catalogs = z.looseObject({
  catalog: z.record(z.string(), z.unknown()).optional(),
  catalogs: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
const none = { dependencies: {}, devDependencies: {}, optionalDependencies: {}, peerDependencies: {} };

/** Settings of pnpm or yarn as a manifest, for their catalogs and overrides; undefined where they can't be read. */
export function readSettingsManifest(text: string): Manifest | undefined {
  const { data } = catalogs.safeParse(parseYaml(text));
  if (data === undefined) return undefined;
  return {
    form: 'yaml',
    text,
    value: data,
    name: undefined,
    packageManager: undefined,
    workspaces: false,
    dependencies: none,
  };
}

/** A manifest with another text; itself where that can't be read. */
export function withText(of: Manifest, text: string): Manifest {
  const read = of.form === 'yaml' ? readSettingsManifest(text) : readManifest(text);
  return read === undefined || isFault(read) ? of : read;
}

/** Every place of a manifest that speaks of a package, by its key or by the name behind an alias. */
export function entriesFor(of: Manifest, name: string): ManifestEntry[] {
  return allEntries(of).filter(
    ({ key, specifier }) => key === name || (specifier.kind === 'registry' && specifier.name === name),
  );
}

export function allEntries(of: Manifest): ManifestEntry[] {
  const direct = DEPENDENCY_KINDS.flatMap((kind) =>
    Object.entries(of.dependencies[kind]).map(([key, text]) => ({
      location: [kind, key],
      kind,
      key,
      text,
      specifier: readSpecifier(key, text),
    })),
  );
  const overrides = OVERRIDE_KEYS.flatMap((location) => overridesAt(at(of.value, location), location, undefined));
  return [...direct, ...overrides, ...(of.form === 'yaml' ? catalogEntries(of) : [])];
}

/** What manifests ask for as `catalog:` and `catalog:name`. */
function catalogEntries({ value }: Manifest): ManifestEntry[] {
  const named = Object.entries(value['catalogs'] ?? {}).map(([name, of]) => [['catalogs', name], of] as const);
  return [[['catalog'], value['catalog'] ?? {}] as const, ...named].flatMap(([location, of]) =>
    Object.entries(of as Record<string, unknown>).flatMap(([key, text]) =>
      typeof text === 'string'
        ? [{ location: [...location, key], kind: 'catalog' as const, key, text, specifier: readSpecifier(key, text) }]
        : [],
    ),
  );
}

/** Whether a specifier of a manifest is served by a catalog's entry. */
export function isServedBy(text: string, { location, kind }: ManifestEntry): boolean {
  if (kind !== 'catalog') return false;
  const name = location[0] === 'catalog' ? '' : (location[1] ?? '');
  return (
    text === `catalog:${name}` ||
    (name === 'default' && text === 'catalog:') ||
    (name === '' && text === 'catalog:default')
  );
}

/** npm nests overrides to any depth; the key may carry a range (`name@^1`), and `.` is the package itself. */
function overridesAt(value: unknown, location: readonly string[], parent: string | undefined): ManifestEntry[] {
  if (typeof value !== 'object' || value === null || location.length > 12) return [];
  return Object.entries(value).flatMap(([stated, inner]) => {
    const here = [...location, stated];
    const key = stated === '.' ? parent : overriddenName(stated);
    if (typeof inner !== 'string') return overridesAt(inner, here, key);
    return key === undefined
      ? []
      : [{ location: here, kind: 'override' as const, key, text: inner, specifier: readSpecifier(key, inner) }];
  });
}

// npm's `@s/a@^1`, yarn's `b/a`, pnpm's `b>a`: the package that is overridden is the last of a path.
function overriddenName(stated: string): string {
  const last = stated.slice(stated.lastIndexOf('>') + 1).trim();
  const unversioned = last.replace(/(?<=.)@.*$/, '');
  const parts = unversioned.split('/');
  const [name = unversioned] = parts.slice(-1);
  const scope = parts.at(-2);
  return scope?.startsWith('@') === true ? `${scope}/${name}` : name;
}

export function at(value: unknown, location: readonly string[]): unknown {
  return location.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined),
    value,
  );
}

/** A manifest without what it says of one package: equal before and after an update of that package. */
export function withoutEntriesFor(of: Manifest, name: string): unknown {
  const value: unknown = structuredClone(of.value);
  for (const { location } of entriesFor(of, name)) {
    const holder = at(value, location.slice(0, -1));
    const key = location.at(-1);
    if (typeof holder === 'object' && holder !== null && key !== undefined)
      delete (holder as Record<string, unknown>)[key];
  }
  return value;
}

/** Nothing that a document makes of itself: no aliases. */
export function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > packageLimits.manifestBytes) return undefined;
  try {
    return parse(text, { maxAliasCount: 0, schema: 'core' });
  } catch {
    return undefined;
  }
}

export function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > packageLimits.manifestBytes) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
