import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Declarations, readDeclarations } from './declarations.ts';
import { type Mappers, shapeFromMappers } from './from-mappers.ts';
import { shapeFromSerializers } from './from-serializers.ts';
import type { Source } from './packages.ts';
import type { Shape } from './shape.ts';

const API_VERSION = /"(20\d\d-\d\d-\d\d(?:-preview)?)"/g;

/** Downloads a package into the cache, by the npm client as it is set up, unless it is there. Answers its directory. No script of it is run. */
function fetched(source: Source, cache: string): string {
  const directory = path.join(cache, `${source.package.replace('/', '-').slice(1)}-${source.version}`);
  if (existsSync(directory)) return directory;
  const unpacking = `${directory}.unpacking`;
  mkdirSync(unpacking, { recursive: true });
  const asked = [`${source.package}@${source.version}`, '--pack-destination', unpacking, '--silent'];
  const packed = execFileSync('npm', ['pack', ...asked], { encoding: 'utf8', cwd: unpacking, timeout: 120_000 }).trim();
  execFileSync('tar', ['xzf', path.basename(packed)], { cwd: unpacking, timeout: 60_000 });
  renameSync(unpacking, directory);
  return directory;
}

/** Files under the first of some folders that exists, by ending; those of `part` first, and only those of `within`. */
function texts(root: string, folders: readonly string[], ending: string, part = '', within = ''): string[] {
  const folder = folders.map((name) => path.join(root, 'package', name)).find(existsSync);
  if (folder === undefined) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && `/${file}`.includes(within === '' ? '' : `/${within}`))
    .sort((a, b) => Number(b.includes(part)) - Number(a.includes(part)) || a.localeCompare(b))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'));
}

const MODELS = ['dist/esm/models', 'dist-esm/src/models', 'esm/models'];
const CALLS = ['dist/esm/api', 'dist-esm/src', 'dist/esm', 'esm'];

/** The shape of the source's request with the API versions of its package. Throws when the package has no such model. */
export async function readRequest(
  source: Source,
  cache: string,
): Promise<{ readonly shape: Shape; readonly apiVersions: readonly string[] }> {
  const root = fetched(source, cache);
  const declarations = readDeclarations(texts(root, MODELS, '.d.ts', source.part).join('\n'));
  const shape =
    shapeFromSerializers(texts(root, MODELS, 'models.js', source.part).join('\n'), declarations, source.model) ??
    (await fromMappers(root, declarations, source.model));
  if (shape === undefined) throw new Error(`${source.package}@${source.version} has no model ${source.model}`);
  const calls = texts(root, CALLS, '.js', '', source.calls).join('\n');
  const apiVersions = [...new Set([...calls.matchAll(API_VERSION)].map(([, version = '']) => version))].sort();
  return { shape, apiVersions };
}

/** Mappers are a module of plain data; what an older one imports (errors of its runtime) is of no request, and is left out. */
async function fromMappers(root: string, declarations: Declarations, model: string): Promise<Shape | undefined> {
  const file = MODELS.map((folder) => path.join(root, 'package', folder, 'mappers.js')).find(existsSync);
  if (file === undefined) return undefined;
  const alone = file.replace(/\.js$/, '.alone.mjs');
  const imported = /^(?:import|export \* from|export \{ CloudError|export \{[^}]*\} from).*$/gm;
  const text = readFileSync(file, 'utf8').replace(imported, '');
  writeFileSync(alone, `const CloudErrorMapper = {}, BaseResourceMapper = {}, __assign = Object.assign;\n${text}`);
  return shapeFromMappers((await import(pathToFileURL(alone).href)) as Mappers, declarations, model);
}
