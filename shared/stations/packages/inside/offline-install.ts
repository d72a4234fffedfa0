/**
 * Runs inside the sandbox, in the checkout: gives npm a cache that is the fetched contents, runs the prepare command, and ends
 * with its code. Arguments: packages directory (`-` where there is none), command ….
 *
 * npm finds a locked package by its integrity without asking anyone, but only when the lockfile has its address, which npm can
 * be told to omit. So the lockfile gets addresses for as long as the command runs, and its own bytes back afterwards. A checkout
 * without a lockfile that npm installs from gets the one that was resolved for this request, for as long. And as many a `prepare`
 * script sets up hooks, the checkout has an empty git repository meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Lockfile = {
  lockfileVersion?: number;
  packages?: Record<
    string,
    { name?: string; version?: string; integrity?: string; resolved?: string; inBundle?: boolean; link?: boolean }
  >;
};
type PackageFiles = { files: Record<string, string>; lockfile: { file: string; text: string } };

const [packages = '-', command = '', ...rest] = process.argv.slice(2);

const putBack: (() => void)[] = [];
if (packages !== '-') {
  giveCache();
  giveLockfile();
}
giveRepository();
const result = spawnSync(command, rest, { stdio: 'inherit' });
for (const undo of putBack.toReversed()) undo();
if (result.error !== undefined) process.stderr.write(`${result.error.message}\n`);
process.exitCode = result.status ?? (result.error === undefined ? 1 : 127);

function giveCache(): void {
  const cache = join(process.env['npm_config_cache'] ?? '/tmp/npm-cache', '_cacache');
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, 'content-v2'))) symlinkSync(join(packages, 'content-v2'), join(cache, 'content-v2'));
}

function giveLockfile(): void {
  const resolved = resolvedLockfile();
  const file = ['npm-shrinkwrap.json', 'package-lock.json'].find((name) => existsSync(name));
  if (file === undefined && resolved === undefined) return;
  // Without this, a repository whose .npmrc turns lockfiles off would be resolved anew, which nothing here can answer.
  process.env['npm_config_package_lock'] = 'true';
  const own = file === undefined ? undefined : readFileSync(file);
  const read = own === undefined ? undefined : readLockfile(own.toString('utf8'));
  if (read?.packages !== undefined) {
    if (file !== undefined && addAddresses(read)) replace(file, JSON.stringify(read), own);
  } else if (resolved !== undefined) replace(file ?? resolved.file, resolved.text, own);
}

/** The update's, where the checkout has its manifests; else the base's. */
function resolvedLockfile(): PackageFiles['lockfile'] | undefined {
  for (const name of ['target.json', 'base.json']) {
    const path = join(packages, name);
    if (!existsSync(path)) continue;
    const { files, lockfile } = JSON.parse(readFileSync(path, 'utf8')) as PackageFiles;
    const same = Object.entries(files).every(([file, text]) => existsSync(file) && readFileSync(file, 'utf8') === text);
    if (same && (lockfile.file.endsWith('package-lock.json') || lockfile.file.endsWith('npm-shrinkwrap.json')))
      return lockfile;
  }
  return undefined;
}

function readLockfile(text: string): Lockfile | undefined {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as Lockfile;
  } catch {
    return undefined;
  }
}

function addAddresses(lockfile: Lockfile): boolean {
  let added = false;
  for (const [path, entry] of Object.entries(lockfile.packages ?? {})) {
    if (path === '' || entry.resolved !== undefined || entry.integrity === undefined || entry.inBundle === true)
      continue;
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    entry.resolved = `https://registry.invalid/${name}/-/${name.slice(name.indexOf('/') + 1)}-${entry.version ?? ''}.tgz`;
    added = true;
  }
  return added;
}

function replace(file: string, text: string, own: Buffer | undefined): void {
  writeFileSync(file, text);
  putBack.push(() => {
    if (own === undefined) rmSync(file, { force: true });
    else writeFileSync(file, own);
  });
}

/** Nothing of the checkout is in it, and it is gone before anything else runs. */
function giveRepository(): void {
  if (existsSync('.git')) return;
  spawnSync('git', ['init', '--quiet'], { stdio: 'ignore' });
  putBack.push(() => rmSync('.git', { recursive: true, force: true }));
}
