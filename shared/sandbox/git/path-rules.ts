import { posix } from 'node:path';
import type { TreeLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';

// Names that some file system takes for .git: case (all), trailing dots and spaces, streams and short names (NTFS). What HFS+
// ignores inside a name is of category Cf, which no name may hold. As git's own verify_path does (git: read-cache.c, path.c).
const gitName = /^(?:\.git(?:[. ]*|:.*)|git~\d+)$/i;

// Control characters and separators could end a line of a report; format characters (bidirectional controls, zero widths) make
// one name look like another to the person who approves it.
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

/**
 * Checks paths one by one as a tree is read, in any order. Throws a refusal with the path: `TREE-NAME-REFUSED`,
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
    const components = path.split('/');
    if (components.length > limits.depth)
      throw refuse('TREE-TOO-DEEP', `a path has more than ${limits.depth} components`, path, limits.depth);
    if (Buffer.byteLength(path) > limits.pathBytes)
      throw refuse('TREE-NAME-REFUSED', `a path is longer than ${limits.pathBytes} bytes`, path, limits.pathBytes);
    components.forEach((component) => {
      checkComponent(component, path);
    });
    let at = '';
    components.forEach((component, depth) => {
      at = depth === 0 ? component : `${at}/${component}`;
      const folded = at.normalize('NFC').toUpperCase().toLowerCase();
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

/** Checks one name; the path is for the refusal. */
export function checkComponent(component: string, path: string): void {
  if (gitName.test(component))
    throw refuse('TREE-NESTED-REPOSITORY', 'a tree may not hold a repository or a name that passes for .git', path);
  const plain =
    component !== '' &&
    component !== '.' &&
    component !== '..' &&
    !component.includes('\\') &&
    !component.includes('\uFFFD');
  if (!plain || unprintable.test(component)) {
    throw refuse(
      'TREE-NAME-REFUSED',
      'a name may not hold control, bidirectional or invisible characters, a backslash, or bytes that are not UTF-8',
      path,
    );
  }
}

/**
 * Checks a symbolic link's target. It has to stay inside the tree by its letters *and* on disk, whatever other links there are:
 * so `..` may stand only at the start, where it climbs real directories.
 */
export function checkLink(path: string, target: string): void {
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
  if (escapes || resolved.split('/').some((component) => gitName.test(component))) {
    throw refuse(
      'TREE-LINK-ESCAPES',
      `a symbolic link has to lead, without turning back, to a place in the tree (it leads to ${JSON.stringify(target.slice(0, 200))})`,
      path,
    );
  }
}

function refuse(
  code: ConstructorParameters<typeof SandboxRefusal>[0],
  what: string,
  path: string,
  limit?: number,
): SandboxRefusal {
  return new SandboxRefusal(code, what, limit === undefined ? { path } : { path, limit });
}
