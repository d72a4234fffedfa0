import { isFault, type Lock, type LockedPackage, type Requirement } from './locked.ts';
import type { Wanted } from './manifest-edits.ts';
import { readNpmLockfile } from './npm-lockfile.ts';
import { admits } from './specifier.ts';

type Entries = Record<string, unknown>;

/**
 * npm resolves anew whatever only the package required, though what was locked would still do. This is its lockfile with such entries
 * as they were before, for npm to complete: an entry is put back where all that ask for it let its version in, and all that it asks
 * for is there. Undefined where nothing can be put back.
 */
export function withLeastMoves(before: string, after: string, { name }: Wanted): string | undefined {
  const [old, now] = [parse(before), parse(after)];
  if (old === undefined || now === undefined) return undefined;
  const kept = new Set(Object.keys(now.packages).filter((place) => isMoved(old.packages[place], now.packages[place])));
  const reference = readNpmLockfile(after);
  if (isFault(reference)) return undefined;
  for (const { place, name: published, keys } of reference.packages)
    if (published === name || keys.includes(name)) kept.delete(place);
  while (kept.size > 0) {
    const packages = Object.fromEntries(
      Object.entries(now.packages).map(([place, entry]) => [place, kept.has(place) ? old.packages[place] : entry]),
    );
    const text = JSON.stringify({ ...now.document, packages });
    const mixed = readNpmLockfile(text);
    if (isFault(mixed)) return undefined;
    const unfit = unfitIn(mixed, kept);
    if (unfit.size === 0) return text;
    for (const place of unfit) kept.delete(place);
  }
  return undefined;
}

function parse(text: string): { readonly document: Entries; readonly packages: Entries } | undefined {
  try {
    const document = JSON.parse(text) as Entries;
    const { packages } = document;
    return typeof packages === 'object' && packages !== null ? { document, packages: packages as Entries } : undefined;
  } catch {
    return undefined;
  }
}

function isMoved(old: unknown, now: unknown): boolean {
  const [was, is] = [old, now].map(
    (entry) => entry as { readonly version?: unknown; readonly link?: unknown } | undefined,
  );
  return was?.version !== undefined && was.version !== is?.version && was.link !== true && is?.link !== true;
}

/** Entries that were put back and are asked for by a range that does not let them in, or ask for what is not there. */
function unfitIn({ packages, requirements }: Lock, kept: ReadonlySet<string>): ReadonlySet<string> {
  const at = new Map(packages.map((each) => [each.place, each]));
  const unfit = new Set<string>();
  for (const each of requirements) {
    const served = each.to === undefined ? undefined : at.get(each.to);
    if (served === undefined) {
      if (kept.has(each.from) && each.peer !== true) unfit.add(each.from);
    } else if (!isServed(each, served)) {
      if (kept.has(served.place)) unfit.add(served.place);
      else if (kept.has(each.from)) unfit.add(each.from);
    }
  }
  return unfit;
}

function isServed({ range }: Requirement, { version, source }: LockedPackage): boolean {
  return source !== 'registry' || admits(range, version);
}
