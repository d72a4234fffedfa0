import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree, type TreeEntry } from '../../sandbox/git/tree-list.ts';
import { packageLimits } from './limits.ts';
import { fault, isFault, type Lock, type LockfileFault, type PackageManager } from './locked.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { NPM_LOCKFILES, readNpmLockfile } from './npm-lockfile.ts';
import { type NpmSettings, readNpmrc } from './npmrc.ts';

/** What a tree says of its packages: manifests and lockfile, as text that nothing has run. */
export type Project = {
  readonly manager: PackageManager;
  readonly root: Manifest;
  /** Every manifest that takes part by its path: the root's, and those of workspaces and linked folders. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** The lockfile's text and what was read of it; undefined where there is none. */
  readonly lockfile: { readonly file: string; readonly text: string; readonly lock: Lock | LockfileFault } | undefined;
  readonly settings: NpmSettings;
};

const ROOT = 'package.json';

/** Reads the project of a tree. Undefined where no package.json lies at its root; a fault where that can't be read. */
export async function readProject(
  repository: string,
  tree: TreeId,
  signal: AbortSignal,
): Promise<Project | LockfileFault | undefined> {
  const entries = await listTree({ repository, tree, signal });
  const files = new Map(entries.filter(({ mode }) => mode !== '120000').map((entry) => [entry.path, entry]));
  const read = (paths: readonly string[]) => readTexts(repository, files, paths, signal);
  const lockfileName = NPM_LOCKFILES.find((name) => files.has(name));
  const first = await read([ROOT, '.npmrc', ...(lockfileName === undefined ? [] : [lockfileName])]);
  const rootText = first.get(ROOT);
  if (rootText === undefined) return undefined;
  const root = readManifest(rootText);
  if (isFault(root)) return root;
  const lockText = lockfileName === undefined ? undefined : first.get(lockfileName);
  const lockfile =
    lockfileName === undefined || lockText === undefined
      ? undefined
      : { file: lockfileName, text: lockText, lock: readNpmLockfile(lockText, lockfileName) };
  const folders = memberManifests(root, lockfile?.lock, files);
  if (folders.length > packageLimits.manifests)
    return fault('PACKAGES-TOO-MANY', `The repository has more than ${packageLimits.manifests} manifests.`);
  const manifests = new Map([[ROOT, root]]);
  for (const [path, text] of await read(folders)) {
    const member = readManifest(text, path);
    // Without a lockfile every manifest below is offered, fixtures of tests among them: the package manager picks.
    if (!isFault(member)) manifests.set(path, member);
  }
  return { manager: 'npm', root, manifests, lockfile, settings: readNpmrc(first.get('.npmrc') ?? '') };
}

/** A lockfile names its folders; without one, whatever may be a workspace. */
function memberManifests(
  root: Manifest,
  lock: Lock | LockfileFault | undefined,
  files: ReadonlyMap<string, TreeEntry>,
): string[] {
  if (lock !== undefined && !isFault(lock))
    return lock.packages.flatMap(({ source, place }) => {
      const path = `${place}/${ROOT}`;
      return source === 'local' && files.has(path) ? [path] : [];
    });
  if (!root.workspaces) return [];
  return [...files.keys()].filter((path) => path.endsWith(`/${ROOT}`) && !path.split('/').includes('node_modules'));
}

async function readTexts(
  repository: string,
  files: ReadonlyMap<string, TreeEntry>,
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
