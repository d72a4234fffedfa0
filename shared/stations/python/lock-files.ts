import { parse } from 'smol-toml';
import { z } from 'zod';
import { normalName, type Requirement, type Requirements, requirementOf } from './requirement.ts';

const digestOf = (hash: string | undefined): string[] => {
  const [, digest] = /^sha256:([0-9a-f]{64})$/.exec(hash ?? '') ?? [];
  return digest === undefined ? [] : [digest];
};

type Locked = {
  readonly name: string;
  readonly version: string;
  readonly marker?: string | undefined;
  readonly sha256: readonly string[];
};

/** The lock files that are read as data; they carry the digests of every file. */
export const LOCK_FILES: Readonly<Record<string, (text: string) => Requirements | undefined>> = {
  'uv.lock': readUvLock,
  'poetry.lock': readPoetryLock,
  'Pipfile.lock': readPipfileLock,
};

const edge = z.looseObject({ name: z.string(), version: z.string().optional(), marker: z.string().optional() });
const edges = z.array(edge).default([]);
const uvLock = z.looseObject({
  package: z.array(
    z.looseObject({
      name: z.string(),
      version: z.string().optional(),
      source: z.record(z.string(), z.unknown()).default({}),
      dependencies: edges,
      'optional-dependencies': z.record(z.string(), edges).default({}),
      'dev-dependencies': z.record(z.string(), edges).default({}),
      wheels: z.array(z.looseObject({ hash: z.string().optional() })).default([]),
    }),
  ),
});

/** uv.lock: a package is wanted where some edge to it holds, and edges carry the markers. */
function readUvLock(text: string): Requirements | undefined {
  const lock = uvLock.safeParse(tomlOf(text));
  if (!lock.success) return undefined;
  const packages = lock.data.package;
  const to = packages.flatMap((each) => [
    ...each.dependencies,
    ...Object.values(each['optional-dependencies']).flat(),
    ...Object.values(each['dev-dependencies']).flat(),
  ]);
  const left: string[] = [];
  const locked = packages.flatMap(({ name, version, source, wheels }): Locked[] => {
    if (source['registry'] === undefined) {
      if (source['editable'] === undefined && source['virtual'] === undefined)
        left.push(`uv.lock: ${name.slice(0, 100)} comes from no index, and is not fetched`);
      return [];
    }
    const incoming = to.filter(
      (each) => each.name === name && (each.version === undefined || each.version === version),
    );
    const markers = incoming.map(({ marker }) => marker);
    const marker =
      incoming.length === 0 || markers.includes(undefined)
        ? undefined
        : [...new Set(markers)].map((each) => `(${each})`).join(' or ');
    return [{ name, version: version ?? '', marker, sha256: wheels.flatMap(({ hash }) => digestOf(hash)) }];
  });
  return lockedRequirements('uv.lock', locked, left);
}

const poetryLock = z.looseObject({
  package: z
    .array(
      z.looseObject({
        name: z.string(),
        version: z.string(),
        optional: z.boolean().default(false),
        markers: z.unknown().optional(),
        source: z.looseObject({ type: z.string().optional() }).optional(),
        files: z.array(z.looseObject({ hash: z.string().optional() })).default([]),
      }),
    )
    .default([]),
  metadata: z
    .looseObject({ files: z.record(z.string(), z.array(z.looseObject({ hash: z.string().optional() }))).default({}) })
    .default({ files: {} }),
});

function readPoetryLock(text: string): Requirements | undefined {
  const lock = poetryLock.safeParse(tomlOf(text));
  if (!lock.success) return undefined;
  const left: string[] = [];
  const locked = lock.data.package.flatMap((each): Locked[] => {
    if (each.optional) return [];
    if (each.source?.type !== undefined && each.source.type !== 'legacy') {
      left.push(`poetry.lock: ${each.name.slice(0, 100)} comes from no index, and is not fetched`);
      return [];
    }
    // Poetry before 1.3 kept the files of all packages at the end.
    const files = each.files.length > 0 ? each.files : (lock.data.metadata.files[each.name] ?? []);
    const markers =
      typeof each.markers === 'string'
        ? [each.markers]
        : Object.values(each.markers ?? {}).filter((marker) => typeof marker === 'string');
    const marker = markers.length === 0 ? undefined : markers.map((one) => `(${one})`).join(' or ');
    return [{ name: each.name, version: each.version, marker, sha256: files.flatMap(({ hash }) => digestOf(hash)) }];
  });
  return lockedRequirements('poetry.lock', locked, left);
}

const pipfileEntries = z
  .record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      hashes: z.array(z.string()).default([]),
      markers: z.string().optional(),
    }),
  )
  .default({});
const pipfileLock = z.looseObject({ default: pipfileEntries, develop: pipfileEntries });

function readPipfileLock(text: string): Requirements | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const lock = pipfileLock.safeParse(value);
  if (!lock.success) return undefined;
  const left: string[] = [];
  const locked = Object.entries({ ...lock.data.default, ...lock.data.develop }).flatMap(([name, entry]): Locked[] => {
    const version = /^==(.+)$/.exec(entry.version ?? '')?.[1];
    if (version !== undefined)
      return [{ name, version, marker: entry.markers, sha256: entry.hashes.flatMap(digestOf) }];
    left.push(`Pipfile.lock: ${name.slice(0, 100)} comes from no index, and is not fetched`);
    return [];
  });
  return lockedRequirements('Pipfile.lock', locked, left);
}

function lockedRequirements(file: string, locked: readonly Locked[], left: readonly string[]): Requirements {
  const wanted: Requirement[] = [];
  const refused: string[] = [];
  for (const { name, version, marker, sha256 } of locked) {
    const found = requirementOf(`${name}==${version}${marker === undefined ? '' : ` ; ${marker}`}`, sha256);
    if (found === undefined || sha256.length === 0)
      refused.push(
        `${file}: ${normalName(name).slice(0, 100)} ${version.slice(0, 50)} has no wheel with a sha256, and is not fetched`,
      );
    else wanted.push(found);
  }
  return { wanted, constraints: [], left: [...left, ...refused] };
}

function tomlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
