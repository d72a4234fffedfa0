import { minVersion, validRange } from 'semver';
import { entriesFor, type Manifest } from './manifest.ts';
import { type Move, stepOf } from './moves.ts';

type Manifests = ReadonlyMap<string, Manifest>;

/**
 * How far what manifests ask of a package goes, by the lowest version that each entry lets in: all that is known of a move where no
 * lockfile says what is installed.
 */
export function rangeMoves(name: string, before: Manifests, after: Manifests): Move[] {
  const old = lowestVersions(name, before);
  const changed = [...lowestVersions(name, after)].flatMap(([entry, to]) => {
    const from = old.get(entry);
    return from === undefined || from === to ? [] : [{ from, to }];
  });
  return changed.map(({ from, to }) => ({
    name,
    from: [from],
    to: [to],
    step: stepOf([from], [to]),
    direct: true,
    development: null,
  }));
}

function lowestVersions(name: string, manifests: Manifests): Map<string, string> {
  return new Map(
    [...manifests].flatMap(([path, manifest]) =>
      entriesFor(manifest, name).flatMap(({ location, kind, specifier, text }) => {
        if (kind === 'peerDependencies') return [];
        const range = specifier.kind === 'registry' ? specifier.range : text;
        const lowest = validRange(range) === null ? text : (minVersion(range)?.version ?? text);
        return [[JSON.stringify([path, ...location]), lowest] as const];
      }),
    ),
  );
}
