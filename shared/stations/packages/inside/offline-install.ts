/**
 * Runs inside the sandbox, in the checkout: gives npm a cache that is the fetched contents, runs the prepare command, and ends
 * with its code. Arguments: packages directory, command ….
 *
 * npm finds a locked package by its integrity without asking anyone, but only when the lockfile has its address, which npm can
 * be told to omit. So the lockfile gets addresses for as long as the command runs, and its own bytes back afterwards.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Lockfile = {
  packages?: Record<
    string,
    { name?: string; version?: string; integrity?: string; resolved?: string; inBundle?: boolean }
  >;
};

const [packages = '', command = '', ...rest] = process.argv.slice(2);
const cache = join(process.env['npm_config_cache'] ?? '/tmp/npm-cache', '_cacache');
const lockfile = 'package-lock.json';

mkdirSync(cache, { recursive: true });
if (!existsSync(join(cache, 'content-v2'))) symlinkSync(join(packages, 'content-v2'), join(cache, 'content-v2'));
const own = existsSync(lockfile) ? readFileSync(lockfile) : undefined;
const addressed = own === undefined ? undefined : withAddresses(own.toString('utf8'));
if (addressed !== undefined) writeFileSync(lockfile, addressed);
const result = spawnSync(command, rest, { stdio: 'inherit' });
if (own !== undefined && addressed !== undefined) writeFileSync(lockfile, own);
if (result.error !== undefined) process.stderr.write(`${result.error.message}\n`);
process.exitCode = result.status ?? (result.error === undefined ? 1 : 127);

function withAddresses(text: string): string | undefined {
  const parsed = JSON.parse(text) as Lockfile;
  let added = 0;
  for (const [path, entry] of Object.entries(parsed.packages ?? {})) {
    if (path === '' || entry.resolved !== undefined || entry.integrity === undefined || entry.inBundle === true)
      continue;
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    entry.resolved = `https://registry.invalid/${name}/-/${name.slice(name.indexOf('/') + 1)}-${entry.version ?? ''}.tgz`;
    added += 1;
  }
  return added === 0 ? undefined : JSON.stringify(parsed);
}
