import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount, SandboxDriver } from '../../../sandbox/driver.ts';
import { places } from '../inside.ts';

export type ParserTools = {
  /** The script as it appears inside. */
  readonly script: string;
  readonly mounts: readonly Mount[];
  /** Path inside of the Python grammar; undefined on a platform that it was not built for. */
  readonly python: string | undefined;
};

const require = createRequire(import.meta.url);
const parsers = join(dirname(fileURLToPath(import.meta.url)), 'inside');
const shared = dirname(dirname(dirname(dirname(parsers))));
/** The one module of the domain that runs inside too. */
const template = join(shared, 'domain', 'packet', `fix-template${extname(fileURLToPath(import.meta.url))}`);

/** Packages that `inside/` imports, and those that they import. */
const packages = ['@babel/parser', 'yaml', 'postcss'];
const ofPostcss = ['nanoid', 'picocolors', 'source-map-js'];

/**
 * What a script under `inside/` that parses a stranger's text needs in a sandbox: its own folder and the parsers' where they lie in the
 * sources, with the packages that they import beside them. A driver without isolation has no other file system.
 */
export function parserTools(driver: SandboxDriver, script: string): ParserTools {
  const grammar = pythonGrammar();
  if (driver.isolation === 'none') return { script, mounts: [], python: grammar };
  const at = (path: string): string => `${places.tools}/${relative(shared, path)}`;
  const mount = (source: string, target: string): Mount => ({ source, target, mode: 'read-only' });
  const folder = dirname(script);
  const python = `${places.tools}/grammars/python`;
  return {
    script: `${at(folder)}/${basename(script)}`,
    mounts: [
      mount(folder, at(folder)),
      mount(parsers, at(parsers)),
      mount(template, at(template)),
      ...[...astGrep(), ...packages, ...ofPostcss].map((name) =>
        mount(packageFolder(name), `${places.tools}/node_modules/${name}`),
      ),
      ...(grammar === undefined ? [] : [mount(grammar, python)]),
    ],
    python: grammar === undefined ? undefined : python,
  };
}

/** The library and its native part for this platform, which lie side by side. */
const astGrep = (): string[] =>
  readdirSync(dirname(packageFolder('@ast-grep/napi')))
    .filter((name) => name.startsWith('napi'))
    .map((name) => `@ast-grep/${name}`);

/** Where a package lies, found as Node finds it: below the closest `node_modules` that has it. */
function packageFolder(name: string): string {
  const from = ofPostcss.includes(name) ? createRequire(require.resolve('postcss')) : require;
  const folder = (from.resolve.paths(name) ?? [])
    .map((modules) => join(modules, name))
    .find((candidate) => existsSync(join(candidate, 'package.json')));
  if (folder === undefined) throw new Error(`the package ${name} is not installed; run npm ci`);
  return realpathSync(folder);
}

function pythonGrammar(): string | undefined {
  try {
    return (require('@ast-grep/lang-python') as { libraryPath: string }).libraryPath;
  } catch {
    return undefined;
  }
}
