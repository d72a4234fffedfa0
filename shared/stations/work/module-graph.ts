import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { TreeEntry } from '../../sandbox/git/tree-list.ts';

/** Bounds of one reading: more than this is reported as unknown rather than read in part. */
const filesRead = 5_000;
const fileBytes = 1024 * 1024;

const sourceFile = /\.(?:[cm]?[jt]sx?)$/;
const extensions = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '/index.ts',
  '/index.js',
  '/index.mjs',
  '/index.cjs',
];

// Static and dynamic imports, re-exports and require with a literal. What is computed at run time can't be read from text.
const importing =
  /\b(?:import|export)\b[^'"`;]{0,2000}?\bfrom\s*['"]([^'"\n]{1,300})['"]|\bimport\s*\(?\s*['"]([^'"\n]{1,300})['"]|\brequire\s*\(\s*['"]([^'"\n]{1,300})['"]/g;
const exporting =
  /\bexport\s+(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let|var|interface|type|enum)\s+([A-Za-z_$][\w$]*)|\b(?:module\.)?exports\.([A-Za-z_$][\w$]*)\s*=/g;
const exportList = /\bexport\s*(?:type\s*)?\{([^{}]{0,4000})\}|\bmodule\.exports\s*=\s*\{([^{}]{0,4000})\}/g;

/** Which JavaScript and TypeScript files of a tree import which, by relative specifiers. */
export type ModuleGraph = {
  /** Files that import the path, nearest first and through any number of others; the path itself is left out. */
  importersOf(path: string): readonly string[];
  /** Names that a file exports, as far as its text tells. */
  exportsOf(path: string): readonly string[];
  /** Bare specifiers' package name → files that import it. */
  readonly packages: ReadonlyMap<string, readonly string[]>;
};

export const isModule = (path: string): boolean => sourceFile.test(path);

/** Reads the graph from a materialised tree; says why when it can't. Links are not followed. */
export async function readModuleGraph(
  directory: string,
  entries: readonly TreeEntry[],
): Promise<ModuleGraph | { readonly unknown: string }> {
  const files = entries.filter(
    ({ path, mode }) => mode !== '120000' && isModule(path) && !path.includes('node_modules/'),
  );
  if (files.length > filesRead)
    return { unknown: `the repository has ${files.length} modules; importers are read up to ${filesRead}` };
  const large = files.find(({ bytes }) => bytes > fileBytes);
  if (large !== undefined)
    return { unknown: `${large.path} has ${large.bytes} bytes; imports are read from files up to ${fileBytes}` };

  const known = new Set(files.map(({ path }) => path));
  const importers = new Map<string, string[]>();
  const packages = new Map<string, string[]>();
  const exported = new Map<string, readonly string[]>();
  for (const { path } of files) {
    const text = await readFile(join(directory, path), 'utf8');
    exported.set(path, exportedNames(text));
    for (const specifier of importedSpecifiers(text)) {
      const target = specifier.startsWith('.') ? resolveRelative(path, specifier, known) : undefined;
      if (target !== undefined) append(importers, target, path);
      else if (!specifier.startsWith('.')) append(packages, packageName(specifier), path);
    }
  }
  return {
    importersOf: (path) => reachable(path, importers),
    exportsOf: (path) => exported.get(path) ?? [],
    packages,
  };
}

function importedSpecifiers(text: string): Set<string> {
  const found = new Set<string>();
  for (const match of text.matchAll(importing)) {
    const specifier = match[1] ?? match[2] ?? match[3];
    if (specifier !== undefined) found.add(specifier);
  }
  return found;
}

function exportedNames(text: string): string[] {
  const names = new Set<string>();
  for (const match of text.matchAll(exporting)) names.add(match[1] ?? match[2] ?? '');
  for (const match of text.matchAll(exportList)) {
    for (const item of (match[1] ?? match[2] ?? '').split(',')) {
      const name = /(?:\bas\s+)?([A-Za-z_$][\w$]*)\s*(?::[^,]*)?$/.exec(item.trim())?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  names.delete('');
  return [...names].sort();
}

function resolveRelative(from: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  const plain = posix.normalize(posix.join(posix.dirname(from), specifier));
  // TypeScript sources are imported by the name of what they compile to.
  const written = plain.replace(/\.([cm]?)jsx?$/, '.$1ts');
  return [...extensions.map((extension) => plain + extension), written, `${written}x`].find((path) => known.has(path));
}

function packageName(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return specifier.startsWith('@') ? `${first}/${second}` : first;
}

function reachable(start: string, edges: ReadonlyMap<string, readonly string[]>): string[] {
  const seen = new Set([start]);
  // A Set is walked in the order of insertion and sees what is added while walking: breadth first.
  for (const path of seen) for (const importer of edges.get(path) ?? []) seen.add(importer);
  seen.delete(start);
  return [...seen];
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
