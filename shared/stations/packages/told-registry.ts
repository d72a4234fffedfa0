import { maxSatisfying, valid } from 'semver';
import { z } from 'zod';
import { usualTarballPath } from './locked.ts';
import type { Registry, RegistryAnswer } from './registry.ts';
import { gatewayAddress } from './resolver.ts';

/** The versions of a package that a manager is told of, by the name it is published by; of others it is told all. */
export type Shown = ReadonlyMap<string, ReadonlySet<string>>;

const packument = z.looseObject({
  name: z.string(),
  'dist-tags': z.record(z.string(), z.string()).default({}),
  versions: z.record(z.string(), z.looseObject({ dist: z.looseObject({ tarball: z.string() }) })),
});
type Packument = z.infer<typeof packument>;

/**
 * A registry as pnpm and yarn are told of it: of the package that an update moves only the versions it may go to, so that the
 * manager's own choice can't lie outside; and tarballs below the gateway, as either would write another address into the lockfile.
 */
export function toldRegistry(registry: Registry, shown: () => Shown): Registry {
  return {
    base: registry.base,
    get: async (path, accept) => {
      // Services beside packages (attestations, keys, audits) are none that the gateway leads to.
      if (path.startsWith('-/')) return absent;
      // yarn asks for the tarballs of a scope by an encoded slash.
      const tarball = path.endsWith('.tgz');
      const answer = await registry.get(tarball ? path.replace(/^(@[^/%]+)%2f/i, '$1/') : path, accept);
      return answer.status !== 200 || tarball ? answer : told(answer, registry.base, shown());
    },
  };
}

const absent: RegistryAnswer = { status: 404, mediaType: 'application/json', bytes: new TextEncoder().encode('{}') };

function told(answer: RegistryAnswer, base: string, shown: Shown): RegistryAnswer {
  const read = readPackument(answer.bytes);
  if (read === undefined) return answer;
  const only = shown.get(read.name);
  const versions = Object.fromEntries(
    Object.entries(read.versions)
      .filter(([version]) => only === undefined || only.has(version))
      .map(([version, of]) => [
        version,
        { ...of, dist: { ...of.dist, tarball: led(of.dist.tarball, base, read.name, version) } },
      ]),
  );
  const document: Packument = { ...read, 'dist-tags': tagsOf(read['dist-tags'], Object.keys(versions)), versions };
  return { ...answer, mediaType: 'application/json', bytes: new TextEncoder().encode(JSON.stringify(document)) };
}

function readPackument(bytes: Uint8Array): Packument | undefined {
  try {
    return packument.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

/** A tag of a version that is not told of goes; `latest`, which managers look at first, goes to the highest that is. */
function tagsOf(tags: Readonly<Record<string, string>>, versions: readonly string[]): Record<string, string> {
  const kept = Object.fromEntries(Object.entries(tags).filter(([, version]) => versions.includes(version)));
  const highest = maxSatisfying(
    versions.filter((version) => valid(version) !== null),
    '*',
    { includePrerelease: true },
  );
  return highest === null || kept['latest'] !== undefined ? kept : { ...kept, latest: highest };
}

function led(address: string, base: string, name: string, version: string): string {
  if (address.startsWith(base)) return gatewayAddress + address.slice(base.length);
  const usual = usualTarballPath(name, version);
  return address.endsWith(`/${usual}`) ? gatewayAddress + usual : address;
}
