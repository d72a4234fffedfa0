import { builtinModules } from 'node:module';
import path from 'node:path';
import { type Source, target } from '../lint/sources.ts';

export type RolePackage = {
  readonly modules: readonly string[];
  readonly assets: readonly string[];
  readonly packages: readonly string[];
};

/** `new URL('./x', import.meta.url)` and the like: a file a module loads by its path. */
const LOADED = /new URL\(\s*'(\.[^']+)',\s*import\.meta\.url/g;
const REQUIRED = /createRequire\(import\.meta\.url\)(?:\.resolve)?\(\s*'([^']+)'/g;
/** A module that is started and not imported, named with the extension of the one that starts it: `.ts` here, `.js` when built. */
const STARTED = /new URL\(\s*`(\.[^`$]*[a-z-])\$\{/g;
const BUILT_IN = new Set(builtinModules);

/** What a package holds: all that its entry reaches (a role's module, or an image's program). */
export const packageOf = (name: string, files: readonly Source[]): RolePackage => reachedFrom([entryOf(name)], files);

/** What entries reach: modules by value imports, modules that they start, files they load, npm packages they import. */
export function reachedFrom(entries: readonly string[], files: readonly Source[]): RolePackage {
  const known = new Map(files.map((file) => [file.path, file]));
  const modules = new Set(entries);
  const assets = new Set<string>();
  const packages = new Set<string>();
  for (const modulePath of modules) {
    const source = known.get(modulePath);
    if (source === undefined) throw new Error(`${modulePath} is imported and is not a source file`);
    for (const { specifier, typeOnly } of source.imports) {
      if (typeOnly) continue;
      const to = target(source, specifier);
      if (to !== undefined) modules.add(to);
      else addPackage(packages, specifier);
    }
    for (const match of source.text.matchAll(REQUIRED)) addPackage(packages, match[1] ?? '');
    for (const match of source.text.matchAll(STARTED))
      modules.add(path.posix.join(path.posix.dirname(modulePath), `${match[1]}.ts`));
    for (const match of source.text.matchAll(LOADED)) {
      const loaded = path.posix.normalize(path.posix.join(path.posix.dirname(modulePath), match[1] ?? ''));
      if (loaded.endsWith('.ts')) modules.add(loaded);
      else if (!loaded.startsWith('..') && path.posix.extname(loaded) !== '') assets.add(loaded);
    }
  }
  return { modules: [...modules].sort(), assets: [...assets].sort(), packages: [...packages].sort() };
}

/** The container's program serves two roles, the session's none, the others one each. */
export const entryOf = (name: string): string => IMAGES[name] ?? `functions/${name}/index.ts`;

/** The programs of images. */
const IMAGES: Readonly<Record<string, string>> = {
  container: 'container/main.ts',
  session: 'container/session/main.ts',
};

function addPackage(packages: Set<string>, specifier: string): void {
  if (specifier.startsWith('node:') || BUILT_IN.has(specifier) || specifier === '') return;
  const [scope = '', name = ''] = specifier.split('/');
  packages.add(scope.startsWith('@') ? `${scope}/${name}` : scope);
}
