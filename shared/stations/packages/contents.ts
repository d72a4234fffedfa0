import { createHash } from 'node:crypto';
import { packageLimits } from './limits.ts';
import { type LockedPackage, usualTarballPath } from './lockfile.ts';
import { isForThisPlatform } from './platform.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

/** A package's tarball, by the sha512 (hexadecimal) its lockfile promises. */
export type Content = { readonly sha512: string; readonly bytes: Uint8Array };

/**
 * Fetches the tarballs of locked packages, each once, in the order of their digests, and yields those whose bytes are what the
 * lockfile promised. Nothing is unpacked, so nothing of a package can run.
 */
export async function* fetchContents(registry: Registry, packages: readonly LockedPackage[]): AsyncGenerator<Content> {
  const wanted = new Map<string, LockedPackage>();
  for (const locked of packages) {
    if (locked.sha512 !== undefined && isForThisPlatform(locked))
      wanted.set(Buffer.from(locked.sha512, 'base64').toString('hex'), locked);
  }
  const queue = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
  for (let at = 0; at < queue.length; at += packageLimits.concurrent) {
    yield* await Promise.all(
      queue.slice(at, at + packageLimits.concurrent).map(([sha512, locked]) => fetchContent(registry, locked, sha512)),
    );
  }
}

async function fetchContent(registry: Registry, locked: LockedPackage, sha512: string): Promise<Content> {
  const path = tarballPath(registry, locked);
  const { status, bytes } = await registry.get(path);
  const what = `${locked.name}@${locked.version}`;
  if (status !== 200)
    throw new RegistryRefusal(
      'PACKAGE-NOT-FOUND',
      `the registry answered ${status} for ${what} (${path})`,
      status >= 500 || status === 429,
    );
  if (createHash('sha512').update(bytes).digest('hex') !== sha512) {
    throw new RegistryRefusal(
      'PACKAGE-INTEGRITY',
      `the registry's bytes of ${what} are not those the lockfile promises`,
      false,
    );
  }
  return { sha512, bytes };
}

/**
 * Where the configured registry has a tarball. The lockfile's own host is never asked: only the end of its address counts, in the
 * form every registry has (`<name>/-/<file>.tgz`), as with npm's `replace-registry-host=always`; the bytes are held against the
 * lockfile's integrity in any case. An address the lockfile omits is the usual one; one of another form is refused.
 */
function tarballPath(registry: Registry, { name, version, resolved }: LockedPackage): string {
  const usual = usualTarballPath(name, version);
  if (resolved === undefined) return usual;
  if (resolved.startsWith(registry.base)) return resolved.slice(registry.base.length);
  if (new URL(resolved).pathname.endsWith(`/${usual}`)) return usual;
  throw new RegistryRefusal(
    'PACKAGES-FORBIDDEN-SOURCE',
    `${name}@${version} is locked to ${new URL(resolved).href}, which is not where a registry keeps it`,
    false,
  );
}
