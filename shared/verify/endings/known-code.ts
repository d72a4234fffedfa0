import { posix } from 'node:path';

/** What a repository holds, as far as an error about a missing module asks. */
export type KnownCode = {
  /** Whether a path from the root names a file, a folder, or a module by its name without extension. */
  holds(path: string): boolean;
  /** Whether the packet's own change, where it is known, brings such a path or has it still; undefined where it is not known. */
  willHold(path: string): boolean | undefined;
  /** Whether a name is that of a package, or of a module of Python, Ruby or Perl, that the repository itself holds. */
  isOwnName(name: string): boolean;
};

/**
 * Reads the paths of the base and, where the packet itself determines it, of the changed tree. `packages` are the names in the
 * manifests of both.
 */
export function knownCode(tree: {
  readonly base: readonly string[];
  readonly intended: readonly string[] | null;
  readonly packages: readonly string[];
}): KnownCode {
  const base = namesOf(tree.base);
  const intended = tree.intended === null ? null : namesOf(tree.intended);
  const packages = new Set(tree.packages);
  return {
    holds: (path) => holds(base, path),
    willHold: (path) => (intended === null ? undefined : holds(intended, path)),
    isOwnName: (name) => {
      const segments = name.split('/');
      if (segments.some((_, index) => packages.has(segments.slice(0, index + 1).join('/')))) return true;
      const asPath = name.replaceAll('::', '/').replaceAll('.', '/');
      const [top = asPath] = asPath.split('/');
      return [base, intended].some((names) => names !== null && (names.modules.has(top) || names.modules.has(name)));
    },
  };
}

type Names = {
  /** Every file and folder, and every file without its last extension. */
  readonly places: ReadonlySet<string>;
  /** Names of files without extension, and of folders, that hold code of languages that import by name, at any depth. */
  readonly modules: ReadonlySet<string>;
};

const IMPORTED_BY_NAME = /\.(?:py|pyi|rb|pm|pl|lua|jl|ex|exs)$/;

function namesOf(paths: readonly string[]): Names {
  const places = new Set<string>();
  const modules = new Set<string>();
  for (const path of paths) {
    places.add(path);
    const extension = posix.extname(path);
    if (extension !== '') places.add(path.slice(0, -extension.length));
    const byName = IMPORTED_BY_NAME.test(path);
    if (byName) modules.add(posix.basename(path, extension));
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      places.add(folder);
      if (byName) modules.add(posix.basename(folder));
    }
  }
  return { places, modules };
}

function holds({ places }: Names, path: string): boolean {
  const normal = posix.normalize(path).replace(/\/$/, '');
  const bare = normal.slice(0, normal.length - posix.extname(normal).length);
  return [normal, bare, `${normal}/index`, `${bare}/index`].some((candidate) => places.has(candidate));
}
