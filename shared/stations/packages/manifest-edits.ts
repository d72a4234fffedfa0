import { compare, minVersion, satisfies, subset, valid, validRange } from 'semver';
import type { Copies } from '../../domain/packet/line-input.ts';
import { type Choice, nearest } from './choose-version.ts';
import { editManifest } from './edit-manifest.ts';
import { fault, isFault, type Lock, type LockfileFault } from './locked.ts';
import { DEPENDENCY_KINDS, entriesFor, isServedBy, type ManifestEntry } from './manifest.ts';
import type { Project } from './project.ts';
import { admits, rangeFor, type SaveStyle, widenedFor } from './specifier.ts';

/** One specifier that an update writes anew: for good, and as a pin while the package manager resolves. */
export type SpecifierEdit = {
  readonly path: string;
  readonly location: readonly string[];
  readonly final: string;
  readonly pinned: string;
};

/** The packet's goal: which copies of which package have to lie in which range. */
export type Wanted = { readonly name: string; readonly range: string; readonly copies?: Copies | undefined };

export const wantedBy = (line: {
  readonly package: string;
  readonly range: string;
  readonly copies?: Copies | undefined;
}): Wanted => ({ name: line.package, range: line.range, copies: line.copies });

/** The manifests' entries for a package, with the manifest each is in. */
export function projectEntries({ manifests }: Project, name: string): PlacedEntry[] {
  return [...manifests].flatMap(([path, manifest]) => entriesFor(manifest, name).map((entry) => ({ ...entry, path })));
}

/** The names that the package's entries are published by: its own, or those behind keys that only look like it. */
export function publishedNames(project: Project, lock: Lock | undefined, name: string): string[] {
  const entries = projectEntries(project, name);
  const named = entries.flatMap(({ specifier }) => (specifier.kind === 'registry' ? [specifier.name] : []));
  const locked = lock?.packages.filter((each) => each.keys.includes(name)).map((each) => each.name) ?? [];
  return [...new Set([...named, ...locked, name])];
}

/**
 * Which specifiers have to be written anew, so that the manifests ask for the version that was chosen. One whose locked copy is
 * inside the range already stays. `lock` is what decides where there is one; without one, every range has to lie inside the wanted.
 */
export function specifierEdits(
  project: Project,
  lock: Lock | undefined,
  wanted: Wanted,
  choices: ReadonlyMap<string, Choice>,
  style: SaveStyle,
): SpecifierEdit[] | LockfileFault {
  const { range } = wanted;
  const entries = wantedEntries(project, wanted);
  const direct = entries.filter(({ kind }) => kind !== 'override' && kind !== 'peerDependencies');
  const locked = lock === undefined ? undefined : lockedBy(project, lock);
  const edits: SpecifierEdit[] = [];
  const rewritten = new Set<string>();
  for (const entry of direct) {
    if (isInside(entry, locked, range)) continue;
    const edit = editOf(entry, range, choices, style, locked);
    if (edit === undefined) continue;
    if (isFault(edit)) return edit;
    edits.push(edit);
    rewritten.add(entry.text);
  }
  for (const entry of entries.filter(({ kind }) => kind === 'override')) {
    if (!rewritten.has(entry.text) && !holdsBack(entry, range)) continue;
    const edit = editOf(entry, range, choices, style, locked);
    if (edit === undefined) continue;
    if (isFault(edit)) return edit;
    edits.push(edit);
  }
  return [...edits, ...peerEdits(entries, direct, choices, style, locked, range)];
}

/** The entries that say which copies in question are installed: with `direct`, no override of what one other package asks for. */
export function wantedEntries(project: Project, { name, copies }: Pick<Wanted, 'name' | 'copies'>): PlacedEntry[] {
  return projectEntries(project, name).filter((entry) => copies !== 'direct' || !isForOthers(entry));
}

/** npm nests such an override, pnpm writes `other>name`, yarn `other/name`. */
function isForOthers({ kind, location, key }: ManifestEntry): boolean {
  const stated = location[location[0] === 'pnpm' ? 2 : 1] ?? '';
  return kind === 'override' && stated.replace(/(?<=.)@.*$/, '').replace(/^\*\*\//, '') !== key;
}

type PlacedEntry = ManifestEntry & { readonly path: string };

/** The version that a lockfile serves an entry. */
type Locked = (entry: PlacedEntry) => string | undefined;

/** Of a catalog's entry, the lowest of all who ask by it. */
const lockedBy =
  (project: Project, { requirements, packages }: Lock): Locked =>
  (entry) => {
    const folders = new Set(foldersAsking(entry, project));
    const served = new Set(
      requirements.flatMap(({ from, key, to }) => (folders.has(from) && key === entry.key ? (to ?? []) : [])),
    );
    const versions = packages.filter(({ place }) => served.has(place)).map(({ version }) => version);
    return versions.sort(compareVersions)[0];
  };

function foldersAsking(entry: PlacedEntry, { manifests }: Project): string[] {
  if (entry.kind !== 'catalog') return [folderOf(entry.path)];
  return [...manifests].flatMap(([path, manifest]) =>
    DEPENDENCY_KINDS.some((kind) => isServedBy(manifest.dependencies[kind][entry.key] ?? '', entry))
      ? [folderOf(path)]
      : [],
  );
}

const folderOf = (path: string): string => path.split('/').slice(0, -1).join('/');
const compareVersions = (a: string, b: string): number =>
  valid(a) !== null && valid(b) !== null ? compare(a, b) : a < b ? -1 : 1;

function isInside(entry: PlacedEntry, locked: Locked | undefined, range: string): boolean {
  if (locked === undefined) return rangeIsInside(entry.text, range);
  const version = locked(entry);
  return version !== undefined && satisfies(version, range);
}

/** Whether every version that a specifier lets in is inside a range. */
export function rangeIsInside(text: string, range: string): boolean {
  const asked = text.replace(/^npm:(?:@[^/@]+\/)?[^/@]+@/, '');
  return validRange(asked) !== null && subset(asked, range);
}

/** An override that lets no version of the range in, or pins one outside. */
function holdsBack({ specifier }: ManifestEntry, range: string): boolean {
  if (specifier.kind !== 'registry' || validRange(specifier.range) === null) return false;
  const lowest = minVersion(specifier.range);
  return lowest !== null && !satisfies(lowest, range);
}

function editOf(
  entry: PlacedEntry,
  range: string,
  choices: ReadonlyMap<string, Choice>,
  style: SaveStyle,
  locked: Locked | undefined,
): SpecifierEdit | LockfileFault | undefined {
  const { specifier, path, location } = entry;
  if (specifier.kind === 'reference') return undefined;
  if (specifier.kind === 'foreign')
    return fault(
      'PACKAGES-FORBIDDEN-SOURCE',
      `${location.join('.')} in ${path} asks for ${entry.text.replace(/\/\/[^/@]*@/, '//').slice(0, 200)}, which is no range of a registry and can't be moved into ${range}. Ask for a published version there, or update it by hand?`,
    );
  const choice = choices.get(specifier.name);
  if (choice === undefined) return undefined;
  const version = nearest(choice, specifier.range, locked?.(entry));
  const written = rangeFor(specifier.range, version, style);
  const narrow = [written, `^${version}`, `~${version}`].find((each) => rangeIsInside(each, range)) ?? version;
  // Where nothing is locked, the range alone keeps a version outside of the wanted one from being installed.
  const final = locked === undefined && entry.kind !== 'override' ? narrow : written;
  return { path, location, final: `${specifier.prefix}${final}`, pinned: `${specifier.prefix}${version}` };
}

/** A peer's range is widened where it does not let in what the same manifest installs now, or what the lockfile serves it. */
function peerEdits(
  entries: readonly PlacedEntry[],
  direct: readonly PlacedEntry[],
  choices: ReadonlyMap<string, Choice>,
  style: SaveStyle,
  locked: Locked | undefined,
  range: string,
): SpecifierEdit[] {
  return entries
    .filter(({ kind }) => kind === 'peerDependencies')
    .flatMap((entry) => {
      const { specifier, path, location, key } = entry;
      const choice = specifier.kind === 'registry' ? choices.get(specifier.name) : undefined;
      if (specifier.kind !== 'registry' || choice === undefined) return [];
      const version = nearest(choice, beside(direct, entry) ?? specifier.range, locked?.(entry));
      if (admits(specifier.range, version)) return [];
      const alone = !direct.some((each) => each.path === path && each.key === key);
      if (alone && isInside(entry, locked, range)) return [];
      const final = `${specifier.prefix}${widenedFor(specifier.range, version, style)}`;
      return [{ path, location, final, pinned: alone ? `${specifier.prefix}${version}` : final }];
    });
}

/** What the same manifest installs of a peer itself. */
const beside = (direct: readonly PlacedEntry[], { path, key }: PlacedEntry): string | undefined =>
  direct.flatMap((each) =>
    each.path === path && each.key === key && each.specifier.kind === 'registry' ? [each.specifier.range] : [],
  )[0];

/** The manifests that the edits change, by path. */
export function editedManifests(
  { manifests }: Project,
  edits: readonly SpecifierEdit[],
  as: 'final' | 'pinned',
): Map<string, string> {
  const edited = new Map<string, string>();
  for (const [path, ofPath] of Map.groupBy(edits, (edit) => edit.path)) {
    const manifest = manifests.get(path);
    if (manifest === undefined) continue;
    edited.set(
      path,
      editManifest(
        manifest,
        ofPath.map((edit) => ({ location: edit.location, text: edit[as] })),
      ),
    );
  }
  return edited;
}
