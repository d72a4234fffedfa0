import { posix } from 'node:path';
import type { TreeLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';

// Names that some file system takes for .git: case (all), trailing dots and spaces, streams and short names (NTFS). What HFS+
// ignores inside a name is of category Cf, which no name may hold. As git's own verify_path does (git: read-cache.c, path.c).
const gitName = /^(?:\.git(?:[. ]*|:.*)|git~\d+)$/i;

// Control characters and separators could end a line of a report; format characters (bidirectional controls, zero widths) make
// one name look like another to the person who approves it.
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

const NAME_FAULT =
  'a name may not hold control, bidirectional or invisible characters, a backslash, or bytes that are not UTF-8';

/**
 * Checks paths of a workspace one by one as it is read, in any order. Throws a refusal with the path: `TREE-NAME-REFUSED`,
 * `TREE-NESTED-REPOSITORY`, `TREE-CASE-COLLISION`, `TREE-TOO-DEEP`, `TREE-TOO-MANY-ENTRIES`.
 */
export function pathChecker(limits: TreeLimits): (path: string) => void {
  const names = new Map<string, string>();
  const files = new Set<string>();
  let entries = 0;
  return (path) => {
    entries += 1;
    if (entries > limits.entries)
      throw refuse('TREE-TOO-MANY-ENTRIES', `the tree has more than ${limits.entries} entries`, path, limits.entries);
    requirePathWithin(path, limits);
    const components = path.split('/');
    components.forEach((component) => {
      checkComponent(component, path);
    });
    let at = '';
    components.forEach((component, depth) => {
      at = depth === 0 ? component : `${at}/${component}`;
      const folded = fold(at);
      const known = names.get(folded);
      if (known !== undefined && known !== at) {
        throw refuse(
          'TREE-CASE-COLLISION',
          `two names differ only in case or accents (the other: ${JSON.stringify(known)}); rename one`,
          at,
        );
      }
      if (files.has(folded) || (known !== undefined && depth === components.length - 1)) {
        throw refuse('TREE-NAME-REFUSED', 'a name stands for two entries', at);
      }
      names.set(folded, at);
      if (depth === components.length - 1) files.add(folded);
    });
  };
}

/** Limits that a tree as a whole keeps, whatever becomes of its entries; and no path is there twice, or as file and folder. */
export function requireWithin(paths: readonly string[], limits: TreeLimits): void {
  if (paths.length > limits.entries)
    throw refuse(
      'TREE-TOO-MANY-ENTRIES',
      `the tree has more than ${limits.entries} entries`,
      paths.at(-1) ?? '',
      limits.entries,
    );
  const files = new Set(paths.filter((path) => !path.includes('\uFFFD')));
  const double = files.size < paths.filter((path) => !path.includes('\uFFFD')).length;
  for (const path of paths) {
    requirePathWithin(path, limits);
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      if (files.has(path.slice(0, at)))
        throw refuse('TREE-NAME-REFUSED', 'a name stands for two entries', path.slice(0, at));
  }
  if (double) throw refuse('TREE-NAME-REFUSED', 'a name stands for two entries', paths[0] ?? '');
}

function requirePathWithin(path: string, limits: TreeLimits): void {
  if (path.split('/').length > limits.depth)
    throw refuse('TREE-TOO-DEEP', `a path has more than ${limits.depth} components`, path, limits.depth);
  if (Buffer.byteLength(path) > limits.pathBytes)
    throw refuse('TREE-NAME-REFUSED', `a path is longer than ${limits.pathBytes} bytes`, path, limits.pathBytes);
}

/** As file systems that know no case or accents compare names. */
const fold = (path: string): string => path.normalize('NFC').toUpperCase().toLowerCase();

/** Says of each path whether it, or a folder above it, has a twin among all paths: a name that differs only in case or accents. */
export function twinsOf(paths: readonly string[]): (path: string) => boolean {
  const spelled = new Map<string, string>();
  const twins = new Set<string>();
  for (const path of paths)
    for (const at of prefixesOf(path)) {
      const folded = fold(at);
      const known = spelled.get(folded);
      if (known === undefined) spelled.set(folded, at);
      else if (known !== at) twins.add(folded);
    }
  return (path) => twins.size > 0 && prefixesOf(path).some((at) => twins.has(fold(at)));
}

/** `a`, `a/b` and `a/b/c` of `a/b/c`. */
const prefixesOf = (path: string): string[] =>
  path.split('/').map((_, depth, components) => components.slice(0, depth + 1).join('/'));

/** Why a path may not be written out, or undefined. Throws `TREE-NESTED-REPOSITORY` for what no tree may hold at all. */
export function nameFault(path: string): string | undefined {
  return path.split('/').some((component) => !isPlain(component, path)) ? NAME_FAULT : undefined;
}

/** Checks one name; the path is for the refusal. */
export function checkComponent(component: string, path: string): void {
  if (!isPlain(component, path)) throw refuse('TREE-NAME-REFUSED', NAME_FAULT, path);
}

function isPlain(component: string, path: string): boolean {
  if (gitName.test(component) || component === '' || component === '.' || component === '..')
    throw refuse(
      gitName.test(component) ? 'TREE-NESTED-REPOSITORY' : 'TREE-NAME-REFUSED',
      gitName.test(component) ? 'a tree may not hold a repository or a name that passes for .git' : NAME_FAULT,
      path,
    );
  return !component.includes('\\') && !component.includes('\uFFFD') && !unprintable.test(component);
}

/**
 * Why a symbolic link may not be written out, or undefined. It has to stay inside the tree by its letters *and* on disk, whatever other
 * links there are: so `..` may stand only at the start, where it climbs real directories.
 */
export function linkFault(path: string, target: string): string | undefined {
  const climbs = /^(?:\.\.\/)*(?:\.\.$)?/.exec(target)?.[0] ?? '';
  const rest = target.slice(climbs.length).split('/');
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  const escapes =
    target === '' ||
    posix.isAbsolute(target) ||
    resolved === '..' ||
    resolved.startsWith('../') ||
    rest.includes('..') ||
    unprintable.test(target) ||
    target.includes('\\') ||
    target.includes('\uFFFD');
  if (!escapes && !resolved.split('/').some((component) => gitName.test(component))) return undefined;
  return `a symbolic link has to lead, without turning back, to a place in the tree (it leads to ${JSON.stringify(target.slice(0, 200))})`;
}

/** Throws `TREE-LINK-ESCAPES` for a link that {@link linkFault} finds fault with. */
export function checkLink(path: string, target: string): void {
  const fault = linkFault(path, target);
  if (fault !== undefined) throw refuse('TREE-LINK-ESCAPES', fault, path);
}

function refuse(
  code: ConstructorParameters<typeof SandboxRefusal>[0],
  what: string,
  path: string,
  limit?: number,
): SandboxRefusal {
  return new SandboxRefusal(code, what, limit === undefined ? { path } : { path, limit });
}
