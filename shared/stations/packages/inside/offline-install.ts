/**
 * Runs inside the sandbox, in the checkout: lends the prepare command what was fetched, runs it, and ends with its code. Arguments:
 * packages directory (`-` where there is none), command ….
 *
 * - npm finds a locked package in its cache by integrity, without asking anyone, but only when the lockfile has its address, which
 *   npm can be told to omit: the lockfile gets addresses.
 * - pnpm and yarn ask a registry. One listens on loopback that has the fetched tarballs and nothing else, so that no version can
 *   come in that was not locked; addresses in their lockfiles lead there. yarn 2 and later would hold its own way of writing a
 *   lockfile against the one that is there, so `--immutable` is taken out: it could only find differences of form.
 * - A checkout without a lockfile that npm installs from gets the one that was resolved for this request.
 * - Many a `prepare` script sets up hooks: the checkout has an empty git repository.
 *
 * All of it only as long as the command runs; the checkout's own bytes are put back.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

type Lockfile = {
  packages?: Record<
    string,
    { name?: string; version?: string; integrity?: string; resolved?: string; inBundle?: boolean }
  >;
};
type PackageFiles = { files: Record<string, string>; lockfile: { file: string; text: string } };
type Served = { path: string; content: string; url?: string };

const [packages = '-', command = '', ...rest] = process.argv.slice(2);
const store = join('node_modules', '.factory-store');

const putBack: (() => void)[] = [];
if (packages !== '-') {
  giveCache();
  const index = join(packages, 'index.json');
  if (existsSync(index)) await giveRegistry(JSON.parse(readFileSync(index, 'utf8')) as Served[]);
  else giveLockfile();
}
giveRepository();
process.exitCode = await run();
for (const undo of putBack.toReversed()) undo();
// The registry would keep the process.
process.exit();

function run(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(
      command,
      command === 'yarn' && isBerry() ? rest.filter((word) => word !== '--immutable') : rest,
      {
        stdio: 'inherit',
      },
    );
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function giveCache(): void {
  const cache = join(process.env['npm_config_cache'] ?? '/tmp/npm-cache', '_cacache');
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, 'content-v2'))) symlinkSync(join(packages, 'content-v2'), join(cache, 'content-v2'));
}

async function giveRegistry(served: readonly Served[]): Promise<void> {
  const contents = new Map(served.map(({ path, content }) => [path, join(packages, 'content-v2', content)]));
  const server = createServer((request, response) => {
    const file = contents.get(decodeURIComponent(request.url ?? '/').slice(1));
    if (file === undefined || request.method !== 'GET') response.writeHead(404).end('{}');
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const environment = process.env;
  // These managers take it for "ask nobody", and would not ask the one that is here.
  delete environment['npm_config_offline'];
  Object.assign(environment, {
    npm_config_registry: base,
    npm_config_store_dir: store,
    YARN_REGISTRY: base,
    YARN_CACHE_FOLDER: existsSync('.yarnrc.yml') || isBerry() ? '.yarn/cache' : store,
    YARN_NPM_REGISTRY_SERVER: base.slice(0, -1),
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    // Another release of yarn writes the same lockfile with other words; nothing but what is locked is there to install.
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  });
  for (const scope of new Set(served.flatMap(({ path }) => /^@[^/]+(?=\/)/.exec(path)?.[0] ?? [])))
    environment[`npm_config_${scope}:registry`] = base;
  putBack.push(() => rmSync(store, { recursive: true, force: true }));
  leadAddresses(base, served);
}

function isBerry(): boolean {
  return existsSync('yarn.lock') && /^__metadata:/m.test(readFileSync('yarn.lock', 'utf8'));
}

function leadAddresses(base: string, served: readonly Served[]): void {
  const paths = new Map(served.flatMap(({ url, path }) => (url === undefined ? [] : [[url, path] as const])));
  for (const file of ['yarn.lock', 'pnpm-lock.yaml']) {
    if (!existsSync(file)) continue;
    const own = readFileSync(file);
    const text = own.toString('utf8').replace(/https?:\/\/[^\s"'#,}]+/g, (url) => {
      const path = paths.get(url);
      return path === undefined ? url : base + path;
    });
    replace(file, text, own);
  }
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
    if (same) return lockfile;
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
