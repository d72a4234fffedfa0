import { major, maxSatisfying, minVersion, rcompare, satisfies, valid, validRange } from 'semver';
import { z } from 'zod';
import { fault, type LockfileFault } from './locked.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

const publishedVersion = z.looseObject({
  deprecated: z.unknown().optional(),
  engines: z.object({ node: z.string().optional() }).catch({}).optional(),
});
const packument = z.object({
  'dist-tags': z.record(z.string(), z.string()).default({}),
  versions: z.record(z.string(), publishedVersion).default({}),
});

const newestNamed = 3;

/** Published versions inside a range: the one to go to where nothing speaks for another, and all to choose from; and those outside. */
export type Choice = {
  readonly version: string;
  readonly inside: readonly string[];
  readonly outside: readonly string[];
};

/**
 * The versions of a package that an update may go to, and the one that npm would pick: `latest` where the range lets it in, else
 * the highest. Deprecated ones and those that do not run on this Node come only where there is no other.
 */
export async function chooseVersion(registry: Registry, name: string, range: string): Promise<Choice | LockfileFault> {
  const published = await readPackument(registry, name);
  const inside = Object.entries(published.versions).filter(([version]) => satisfies(version, range));
  const latest = published['dist-tags']['latest'];
  const fit = inside.filter(
    ([, { deprecated, engines }]) =>
      (deprecated === undefined || deprecated === false || deprecated === '') &&
      (engines?.node === undefined || satisfies(process.version, engines.node)),
  );
  const choices = (fit.length > 0 ? fit : inside).map(([version]) => version);
  const version = latest !== undefined && choices.includes(latest) ? latest : maxSatisfying(choices, range);
  const all = Object.keys(published.versions);
  if (version !== null) return { version, inside: choices, outside: all.filter((each) => !satisfies(each, range)) };
  const newest = Object.keys(published.versions)
    .filter((each) => valid(each) !== null)
    .sort(rcompare)
    .slice(0, newestNamed);
  return fault(
    'RANGE-EMPTY',
    `The registry has no version of ${name} inside ${range}; its newest are ${newest.join(', ') || 'none'}. Correct the packet's line.range and submit again?`,
  );
}

/**
 * The version to go to from what is asked for and locked now, moving as little as the range allows: one that the old range lets in,
 * else one of the same major version, else npm's pick.
 */
export function nearest({ version, inside }: Choice, asked: string, locked: string | undefined): string {
  const admitted = validRange(asked) === null ? null : maxSatisfying([...inside], asked);
  if (admitted !== null) return admitted;
  const current = locked ?? minVersion(validRange(asked) ?? '*')?.version;
  const same =
    current === undefined || valid(current) === null ? null : maxSatisfying([...inside], `^${major(current)}`);
  return same ?? version;
}

async function readPackument(registry: Registry, name: string): Promise<z.infer<typeof packument>> {
  const { status, bytes } = await registry.get(name, 'application/vnd.npm.install-v1+json, application/json');
  if (status === 200) {
    const parsed = packument.safeParse(parse(bytes));
    if (parsed.success) return parsed.data;
  }
  throw new RegistryRefusal(
    'PACKAGE-NOT-FOUND',
    `the registry answered ${status} for the document of ${name}${status === 200 ? ', which is none that can be read' : ''}`,
    status >= 500 || status === 429,
  );
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
