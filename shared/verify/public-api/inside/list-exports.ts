/**
 * Runs inside the sandbox, in a prepared checkout: writes what the package there offers to others, or why that can't be told,
 * to the file named by its argument. Entry points are imported, so the repository's code runs.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Json = string | null | readonly Json[] | { readonly [key: string]: Json };
type Entry = { readonly subpath: string; readonly names: readonly string[] | null; readonly types: string | null };
type Offer = {
  entries: readonly Entry[];
  commands: readonly string[];
  absent: readonly string[];
  unseen: readonly string[];
};

const [report = ''] = process.argv.slice(2);
const answer = await listExports().catch((error: unknown) => ({
  underivable: error instanceof Error ? error.message : String(error),
}));
writeFileSync(report, JSON.stringify(answer));
// An import may have left timers or sockets behind.
process.exit(0);

async function listExports(): Promise<Offer> {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Json>;
  const entries: Entry[] = [];
  const absent: string[] = [];
  const unseen: string[] = [];
  const exported = manifest['exports'] !== undefined;
  for (const [subpath, target] of subpathsOf(manifest)) {
    // Which of its files others use is not known, and loading all of them would run scripts and tests.
    if (subpath.includes('*')) {
      unseen.push(`the files behind ${subpath} of exports were not loaded`);
      entries.push({ subpath, names: null, types: null });
      continue;
    }
    const code = pick(target, ['node', 'import', 'module-sync', 'require', 'default']);
    const file = code === undefined ? undefined : exported ? builtFile(code) : mainFile(code);
    if (code !== undefined && file === undefined) {
      if (exported) unseen.push(`${code} is not there after prepare`);
      else absent.push(code);
    }
    const types =
      pick(target, ['types']) ??
      (subpath === '.' && typeof manifest['types'] === 'string' ? manifest['types'] : undefined);
    if (types !== undefined && !existsSync(types)) unseen.push(`${types} is not there after prepare`);
    entries.push({
      subpath,
      names: file === undefined ? null : await namesOf(file),
      types: types === undefined || !existsSync(types) ? null : digestOf(types),
    });
  }
  const { bin = {} } = manifest;
  const commands = typeof bin === 'string' ? [String(manifest['name'])] : Object.keys(bin ?? {});
  return {
    entries: entries.sort((a, b) => (a.subpath < b.subpath ? -1 : 1)),
    commands: commands.sort(),
    absent,
    unseen,
  };
}

function subpathsOf(manifest: Record<string, Json>): [string, Json][] {
  const { exports } = manifest;
  if (exports === undefined) {
    const main = typeof manifest['main'] === 'string' ? manifest['main'] : 'index.js';
    return existsSync(main) || manifest['main'] !== undefined ? [['.', main]] : [];
  }
  const bySubpath =
    typeof exports === 'object' &&
    exports !== null &&
    !Array.isArray(exports) &&
    Object.keys(exports).some((key) => key.startsWith('.'));
  return bySubpath
    ? Object.entries(exports as Record<string, Json>).filter(([key, target]) => target !== null && !key.endsWith('/'))
    : [['.', exports]];
}

/**
 * The file that Node loads for a `main` (Node.js: Packages, `main`), or undefined when there is none: an application that keeps what npm
 * init wrote offers nothing, before and after alike.
 */
function mainFile(main: string): string | undefined {
  const tried = [main, `${main}.js`, `${main}.json`, `${main}.node`, `${main}/index.js`, 'index.js'];
  return tried.find((path) => existsSync(path) && !statSync(path).isDirectory());
}

/** A file that `exports` names, or undefined while nobody has built it: Node.js looks for no other. */
function builtFile(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

/** First target whose conditions hold (Node.js: Packages, conditional exports). */
function pick(target: Json, conditions: readonly string[]): string | undefined {
  if (typeof target === 'string') return conditions.includes('types') ? undefined : target;
  if (Array.isArray(target))
    return target.map((item: Json) => pick(item, conditions)).find((found) => found !== undefined);
  if (target === null) return undefined;
  for (const [condition, inner] of Object.entries(target as Record<string, Json>)) {
    const holds = conditions.includes(condition);
    if (holds && typeof inner === 'string') return inner;
    const found = holds || condition === 'import' || condition === 'require' ? pick(inner, conditions) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

async function namesOf(path: string): Promise<string[]> {
  if (path.endsWith('.json')) return ['json'];
  const loaded = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  return Object.keys(loaded)
    .sort()
    .map((name) => `${name}: ${typeof loaded[name]}`);
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
