import picomatch from 'picomatch';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree, type TreeEntry } from '../../sandbox/git/tree-list.ts';
import { packageLimits } from './limits.ts';
import { fault, isFault, type Lock, type LockfileFault, type PackageManager } from './locked.ts';
import { type Manifest, parseYaml, readManifest, readSettingsManifest } from './manifest.ts';
import { NPM_LOCKFILES } from './npm-lockfile.ts';
import { type NpmSettings, readNpmrc } from './npmrc.ts';
import { patchPaths } from './patched-dependencies.ts';
import { PNPM_LOCKFILE } from './pnpm-lockfile.ts';
import { readLock } from './read-lock.ts';
import { isBerryLockfile, YARN_LOCKFILE } from './yarn-lockfile.ts';

/** What a tree says of its packages: manifests and lockfile, as text that nothing has run. */
export type Project = {
  readonly manager: PackageManager;
  readonly root: Manifest;
  /** Every manifest that takes part by its path: the root's, those of workspaces and linked folders, and settings with catalogs. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** The lockfile's text and what was read of it; undefined where there is none. */
  readonly lockfile: { readonly file: string; readonly text: string; readonly lock: Lock | LockfileFault } | undefined;
  readonly settings: NpmSettings;
  /** Configuration of pnpm and yarn as it lies in the tree, by file name; read as data only. */
  readonly configuration: ReadonlyMap<string, string>;
  /** Patches of packages that pnpm or yarn apply, by path. */
  readonly patches: ReadonlyMap<string, string>;
};

const ROOT = 'package.json';
const CONFIGURATION = ['pnpm-workspace.yaml', '.yarnrc.yml'] as const;

type Files = ReadonlyMap<string, TreeEntry>;
type Texts = (paths: readonly string[]) => Promise<Map<string, string>>;

/** Reads the project of a tree. Undefined where no package.json lies at its root; a fault where that can't be read. */
export async function readProject(
  repository: string,
  tree: TreeId,
  signal: AbortSignal,
): Promise<Project | LockfileFault | undefined> {
  const entries = await listTree({ repository, tree, signal });
  const files: Files = new Map(entries.filter(({ mode }) => mode !== '120000').map((entry) => [entry.path, entry]));
  const read: Texts = (paths) => readTexts(repository, files, paths, signal);
  const first = await read([ROOT, '.npmrc', ...CONFIGURATION]);
  const rootText = first.get(ROOT);
  if (rootText === undefined) return undefined;
  const root = readManifest(rootText);
  if (isFault(root)) return root;
  const settings = readNpmrc(first.get('.npmrc') ?? '');
  const configuration = new Map(CONFIGURATION.flatMap((file) => [...first].filter(([path]) => path === file)));
  const file = lockfileOf(root, files);
  const text = file === undefined ? undefined : (await read([file])).get(file);
  const manager = text === undefined || file === undefined ? 'npm' : managerOf(file, text);
  const members = await memberManifests(root, configuration, files, read);
  if (isFault(members)) return members;
  const all = new Map([[ROOT, root], ...members, ...settingsManifest(manager, configuration)]);
  const patches = manager === 'pnpm' || manager === 'berry' ? await read(patchPaths(all)) : new Map<string, string>();
  const of = { manager, root, settings, configuration, patches };
  if (file === undefined || text === undefined) return { ...of, manifests: all, lockfile: undefined };
  const lock = readLock(manager, text, file, all);
  if (isFault(lock)) return { ...of, manifests: all, lockfile: { file, text, lock } };
  const linked = await linkedManifests(lock, files, read, all);
  return { ...of, manifests: new Map([...all, ...linked]), lockfile: { file, text, lock } };
}

/** Of several lockfiles the one of the manager that the manifest names, else npm's, pnpm's, yarn's in this order. */
function lockfileOf({ packageManager = '' }: Manifest, files: Files): string | undefined {
  const known = [...NPM_LOCKFILES, PNPM_LOCKFILE, YARN_LOCKFILE].filter((name) => files.has(name));
  const named = { pnpm: PNPM_LOCKFILE, yarn: YARN_LOCKFILE }[packageManager.split('@')[0] ?? ''];
  return known.find((name) => name === named) ?? known[0];
}

function managerOf(file: string, text: string): PackageManager {
  if (file === PNPM_LOCKFILE) return 'pnpm';
  if (file !== YARN_LOCKFILE) return 'npm';
  return isBerryLockfile(text) ? 'berry' : 'yarn';
}

/** Catalogs and overrides lie beside the manifests, and say as much as these of what is installed. */
function settingsManifest(
  manager: PackageManager,
  configuration: ReadonlyMap<string, string>,
): (readonly [string, Manifest])[] {
  const file = manager === 'pnpm' ? 'pnpm-workspace.yaml' : manager === 'berry' ? '.yarnrc.yml' : undefined;
  const text = file === undefined ? undefined : configuration.get(file);
  const manifest = text === undefined ? undefined : readSettingsManifest(text);
  return file === undefined || manifest === undefined ? [] : [[file, manifest]];
}

/** The manifests of the workspaces that root or pnpm-workspace.yaml declare, by their globs. */
async function memberManifests(
  root: Manifest,
  configuration: ReadonlyMap<string, string>,
  files: Files,
  read: Texts,
): Promise<Map<string, Manifest> | LockfileFault> {
  const globs = [...workspaceGlobs(root.value['workspaces']), ...pnpmGlobs(configuration.get('pnpm-workspace.yaml'))];
  if (globs.length === 0) return new Map();
  const wanted = matcherOf(globs);
  const paths = [...files.keys()].filter(
    (path) =>
      path.endsWith(`/${ROOT}`) && !path.split('/').includes('node_modules') && wanted(path.slice(0, -ROOT.length - 1)),
  );
  if (paths.length > packageLimits.manifests)
    return fault('PACKAGES-TOO-MANY', `The repository has more than ${packageLimits.manifests} manifests.`);
  return readable(await read(paths));
}

function matcherOf(globs: readonly string[]): (folder: string) => boolean {
  const plain = globs.slice(0, 200).map((glob) => glob.replace(/^(!?)\.?\//, '$1').replace(/\/+$/, ''));
  const takes = plain.filter((glob) => !glob.startsWith('!')).map((glob) => picomatch(glob));
  const leaves = plain.filter((glob) => glob.startsWith('!')).map((glob) => picomatch(glob.slice(1)));
  return (folder) => takes.some((take) => take(folder)) && !leaves.some((leave) => leave(folder));
}

function workspaceGlobs(workspaces: unknown): string[] {
  const listed = Array.isArray(workspaces) ? workspaces : (workspaces as { packages?: unknown } | undefined)?.packages;
  return Array.isArray(listed) ? listed.filter((glob) => typeof glob === 'string' && glob.length <= 500) : [];
}

function pnpmGlobs(text: string | undefined): string[] {
  return text === undefined ? [] : workspaceGlobs(parseYaml(text));
}

/** Folders that a lockfile names though no glob does, such as `file:` links. */
async function linkedManifests(
  lock: Lock,
  files: Files,
  read: Texts,
  known: ReadonlyMap<string, Manifest>,
): Promise<Map<string, Manifest>> {
  const paths = lock.packages.flatMap(({ source, place }) => {
    const path = `${place}/${ROOT}`;
    return source === 'local' && files.has(path) && !known.has(path) ? [path] : [];
  });
  return readable(await read(paths.slice(0, packageLimits.manifests)));
}

/** A manifest that can't be read takes no part: the package manager will say what is wrong with it. */
function readable(texts: ReadonlyMap<string, string>): Map<string, Manifest> {
  return new Map(
    [...texts].flatMap(([path, text]) => {
      const member = readManifest(text, path);
      return isFault(member) ? [] : [[path, member] as const];
    }),
  );
}

async function readTexts(
  repository: string,
  files: Files,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const wanted = paths.flatMap((path) => files.get(path) ?? []);
  const texts = new Map<string, string>();
  let at = 0;
  for await (const bytes of readBlobs(
    repository,
    wanted.map(({ blob }) => blob),
    signal,
  )) {
    const entry = wanted[at];
    at += 1;
    if (entry !== undefined) texts.set(entry.path, bytes.toString('utf8'));
  }
  return texts;
}
