import { posix } from 'node:path';
import { packageLimits } from './limits.ts';
import { allEntries, at, type Manifest } from './manifest.ts';

/**
 * Files that pnpm's `patchedDependencies` and yarn's `patch:` name: either hashes them into its lockfile. Paths that may be there,
 * below the repository's root.
 */
export function patchPaths(manifests: ReadonlyMap<string, Manifest>): string[] {
  const named = [...manifests].flatMap(([path, manifest]) => [
    ...[['patchedDependencies'], ['pnpm', 'patchedDependencies']].flatMap((location) =>
      strings(at(manifest.value, location)),
    ),
    ...allEntries(manifest).flatMap(({ text }) => ofSpecifier(text, posix.dirname(path))),
  ]);
  const paths = named
    .map((path) => posix.normalize(path))
    .filter((path) => !path.startsWith('..') && !path.startsWith('/'));
  return [...new Set(paths)].slice(0, packageLimits.named);
}

const strings = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.values(value).filter((each) => typeof each === 'string') : [];

/** `patch:left@npm%3A1.0.0#~/.yarn/patches/a.patch`; `~` is the root, anything else lies beside the manifest. */
function ofSpecifier(text: string, folder: string): string[] {
  const [, files] = /^patch:[^#]*#([^:]*)/.exec(text) ?? [];
  return (files ?? '').split('&').flatMap((stated) => {
    const path = stated.replace(/^optional!/, '');
    if (path === '' || path.startsWith('builtin<')) return [];
    return [path.startsWith('~/') ? path.slice(2) : posix.join(folder, path)];
  });
}
