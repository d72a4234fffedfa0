/** An entry of package-lock.json (version 3): a package at a place of the tree. */
type Entry = {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};

/** npm's name for a lockfile inside a package: who installs that package from a registry gets what it says, to the last transitive one. */
export const SHRINKWRAP = 'npm-shrinkwrap.json';

export type Lockfile = { readonly lockfileVersion: number; readonly packages: Readonly<Record<string, Entry>> };

/** The place where a package at `from` finds `name`: beside it, or beside whatever it is in. */
function placeOf(lock: Lockfile, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[place] !== undefined) return place;
    if (at === '') return undefined;
    if (!at.includes('/node_modules/')) at = '';
  }
}

/** The package that a part of the lockfile is for. */
type Root = {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/**
 * The part of a lockfile that a package with these dependencies needs, so that what is installed for it is, to the last transitive package and its integrity, what was
 * tested. Throws when the lockfile does not have one of them.
 */
export function lockfileOf(lock: Lockfile, root: Root): object {
  const packages: Record<string, Entry> = {};
  const take = (place: string): void => {
    const entry = lock.packages[place];
    if (entry === undefined || packages[place] !== undefined) return;
    packages[place] = entry;
    const { dependencies, optionalDependencies, peerDependencies } = entry;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const found = placeOf(lock, place, name);
      if (found !== undefined) take(found);
      else if (dependencies?.[name] !== undefined && optionalDependencies?.[name] === undefined)
        throw new Error(`package-lock.json has no ${name}, which ${place} depends on`);
    }
  };
  for (const name of Object.keys({ ...root.dependencies, ...root.optionalDependencies })) {
    const found = placeOf(lock, '', name);
    if (found === undefined) throw new Error(`package-lock.json has no ${name}, which ${root.name} imports`);
    take(found);
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { name, version } = root;
  return {
    name,
    version,
    lockfileVersion: lock.lockfileVersion,
    requires: true,
    packages: { '': root, ...sorted },
  };
}
