import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { z } from 'zod';
import { packageLimits } from './limits.ts';
import { fault, type LockfileFault } from './locked.ts';
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
  readonly kind: DependencyKind | 'override';
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
    text,
    value: parsed.data,
    name: rest.name,
    packageManager: rest.packageManager,
    workspaces: rest.workspaces !== undefined,
    dependencies: { dependencies, devDependencies, optionalDependencies, peerDependencies },
  };
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
  return [...direct, ...OVERRIDE_KEYS.flatMap((location) => overridesAt(at(of.value, location), location, undefined))];
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

function at(value: unknown, location: readonly string[]): unknown {
  return location.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined),
    value,
  );
}

/**
 * The manifest's text with some specifiers replaced and every other byte as it was: indentation, order, line ends. Throws a
 * TypeError when a place is not there as a string, as with a key that is there twice.
 */
export function editManifest(
  text: string,
  changes: readonly { readonly location: readonly string[]; readonly text: string }[],
): string {
  const root = parseTree(text, [], { allowTrailingComma: false });
  const edits = changes.map(({ location, text: written }) => {
    const node: Node | undefined = root === undefined ? undefined : findNodeAtLocation(root, [...location]);
    if (node?.type !== 'string') throw new TypeError(`${location.join('.')} is no string of this manifest`);
    return { offset: node.offset, length: node.length, written: JSON.stringify(written) };
  });
  const edited = edits
    .toSorted((a, b) => b.offset - a.offset)
    .reduce((all, { offset, length, written }) => all.slice(0, offset) + written + all.slice(offset + length), text);
  const value = parseJson(edited);
  for (const { location, text: written } of changes)
    if (at(value, location) !== written) throw new TypeError(`${location.join('.')} is there twice in this manifest`);
  return edited;
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

function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > packageLimits.manifestBytes) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
