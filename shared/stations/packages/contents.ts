import { createHash } from 'node:crypto';
import { z } from 'zod';
import { packageLimits } from './limits.ts';
import { type Integrity, type LockedPackage, usualTarballPath } from './locked.ts';
import type { MissingPackage } from './package-cache.ts';
import { isForThisPlatform } from './platform.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

/** A package's tarball by the digest its lockfile promises, or why it could not be had. */
export type Content =
  | { readonly integrity: Integrity; readonly bytes: Uint8Array; readonly locked: LockedPackage }
  | { readonly missing: MissingPackage };

/**
 * Fetches the tarballs of locked packages, each once, in the order of their digests, and yields those whose bytes are what the
 * lockfile promised, or whatever the registry has where it promises nothing of the tarball. Nothing is unpacked, so nothing of a package can run. One that is not to be had is yielded as missing; a
 * registry that gives other bytes under the usual address than are promised is a refusal.
 */
export async function* fetchContents(registry: Registry, packages: readonly LockedPackage[]): AsyncGenerator<Content> {
  const wanted = new Map<string, { readonly locked: LockedPackage; readonly integrity: Integrity | undefined }>();
  for (const locked of packages) {
    const { source, integrity, name, version, why = 'it is from no registry' } = locked;
    if (source === 'bundled' || source === 'local' || !isForThisPlatform(locked)) continue;
    if (source === 'foreign') yield { missing: { name, version, why } };
    else
      wanted.set(integrity === undefined ? `${name} ${version}` : `${integrity.algorithm} ${integrity.hex}`, {
        locked,
        integrity,
      });
  }
  const queue = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
  for (let at = 0; at < queue.length; at += packageLimits.concurrent) {
    yield* await Promise.all(
      queue
        .slice(at, at + packageLimits.concurrent)
        .map(([, { locked, integrity }]) => fetchContent(registry, locked, integrity)),
    );
  }
}

async function fetchContent(
  registry: Registry,
  locked: LockedPackage,
  integrity: Integrity | undefined,
): Promise<Content> {
  const { name, version, resolved } = locked;
  const answer = await getTarball(registry, locked).catch((error: unknown) => {
    if (error instanceof RegistryRefusal && error.code === 'REGISTRY-PATH-REFUSED') return undefined;
    throw error;
  });
  if (answer === undefined) return { missing: { name, version, why: 'no registry has a path of this form' } };
  const what = `${name}@${version}`;
  if (answer.status >= 500 || answer.status === 429)
    throw new RegistryRefusal('PACKAGE-NOT-FOUND', `the registry answered ${answer.status} for ${what}`, true);
  if (answer.status !== 200)
    return { missing: { name, version, why: `the registry answered ${answer.status} for it` } };
  const { bytes } = answer;
  // The lockfile of yarn 2 and later promises what yarn makes of a tarball, not the tarball: yarn checks it.
  if (integrity === undefined)
    return { integrity: { algorithm: 'sha512', hex: createHash('sha512').update(bytes).digest('hex') }, bytes, locked };
  if (createHash(integrity.algorithm).update(bytes).digest('hex') === integrity.hex)
    return { integrity, bytes, locked };
  // A tarball of somebody's own address may bear a published name without being what was published.
  if (!isRegistryForm(name, version, resolved))
    return {
      missing: {
        name,
        version,
        why: `it is locked to ${new URL(resolved ?? '').host}, and the registry has other bytes`,
      },
    };
  throw new RegistryRefusal(
    'PACKAGE-INTEGRITY',
    `the registry's bytes of ${what} are not those the lockfile promises`,
    false,
  );
}

const dist = z.object({ versions: z.record(z.string(), z.object({ dist: z.object({ tarball: z.string() }) })) });

/**
 * A tarball of the configured registry. The lockfile's own host is never asked, as with npm's `replace-registry-host=always`: the
 * bytes are held against the lockfile's digest in any case. Registries keep tarballs under other paths, too (`/-/@scope/…`,
 * `/download/…`): where the usual one has none, the package's document tells.
 */
async function getTarball(
  registry: Registry,
  { name, version, resolved }: LockedPackage,
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  const own = resolved?.startsWith(registry.base) === true ? pathBelow(registry, resolved) : undefined;
  const first = await registry.get(own ?? usualTarballPath(name, version));
  if (first.status !== 404) return first;
  const document = await registry.get(name, 'application/vnd.npm.install-v1+json, application/json');
  if (document.status !== 200) return first;
  const told = statedTarball(document.bytes, version);
  const path = told === undefined ? undefined : pathBelow(registry, told);
  return path === undefined || path === own ? first : registry.get(path);
}

function statedTarball(bytes: Uint8Array, version: string): string | undefined {
  try {
    return dist.parse(JSON.parse(new TextDecoder().decode(bytes))).versions[version]?.dist.tarball;
  } catch {
    return undefined;
  }
}

/** The path of an address below a registry, without the fragment that old lockfiles append. */
function pathBelow({ base }: Registry, address: string): string | undefined {
  if (!address.startsWith(base)) return undefined;
  return address.slice(base.length).split(/[?#]/)[0];
}

/** Whether an address is of a form that registries have for a package: its name and version are in it. */
function isRegistryForm(name: string, version: string, resolved: string | undefined): boolean {
  if (resolved === undefined) return true;
  const path = decodeURIComponent(URL.parse(resolved)?.pathname ?? '');
  return path.includes(`/${name}/`) && (path.includes('/-/') || path.includes('/download/')) && path.includes(version);
}
