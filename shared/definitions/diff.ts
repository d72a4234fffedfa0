import { createTwoFilesPatch } from 'diff';
import { type Digest, digestOfBytes, digestOfValue } from '../domain/digest.ts';
import type { DefinitionsBundle } from './bundle.ts';
import { type Definitions, examine, readDefinitions } from './read.ts';

type Kind = 'added' | 'changed' | 'removed';
export type LineChange = {
  readonly line: string;
  readonly change: Kind;
  readonly from: Digest | null;
  readonly to: Digest | null;
};
export type FileChange = {
  readonly file: string;
  readonly change: Kind;
  readonly from: Digest | null;
  readonly to: Digest | null;
  /** Unified diff; null when the two differ too much for one, and only the digests say so. */
  readonly diff: string | null;
};

/** What installing a bundle would change, for the one who approves it. The same two bundles give the same plan, to the byte. */
export type InstallPlan = {
  readonly from: Digest | null;
  readonly to: Digest;
  readonly version: { readonly from: string | null; readonly to: string };
  /** Digest of all rules in force, the platform's included. */
  readonly policy: { readonly from: Digest | null; readonly to: Digest };
  readonly lines: readonly LineChange[];
  readonly files: readonly FileChange[];
  /** Digest of everything above: what an installation's approval binds. */
  readonly digest: Digest;
};

/** Edits that a text diff looks for: beyond, its time grows with the square. */
const MAXIMUM_EDITS = 4_000;

/**
 * The install plan from the installed bundle (null: none yet) to the next. Refuses with 422 `FACTORY-DEFINITIONS-INVALID` when
 * the next one is not valid. The installed one may be: a newer plane can know faults that were none when it was installed, and
 * it must stay replaceable; its lines and policy then count as absent, its files do not.
 */
export function diffBundles(installed: DefinitionsBundle | null, next: DefinitionsBundle): InstallPlan {
  const after = readDefinitions(next);
  const before = installed === null ? undefined : examine(installed).definitions;
  const plan = {
    from: installed?.digest ?? null,
    to: next.digest,
    version: { from: before?.version ?? null, to: after.version },
    policy: { from: before?.policy.digest ?? null, to: after.policy.digest },
    lines: lineChanges(before, after),
    files: fileChanges(installed?.files ?? new Map(), next.files),
  };
  return { ...plan, digest: digestOfValue(plan) };
}

function lineChanges(before: Definitions | undefined, after: Definitions): LineChange[] {
  return unionOf(before?.lines ?? new Map(), after.lines).flatMap((line) => {
    const from = before?.lines.get(line)?.digest ?? null;
    const to = after.lines.get(line)?.digest ?? null;
    return from === to ? [] : [{ line, change: kindOf(from, to), from, to }];
  });
}

function fileChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): FileChange[] {
  return unionOf(before, after).flatMap((file) => {
    const [old, now] = [before.get(file), after.get(file)];
    if (old === now) return [];
    const from = old === undefined ? null : digestOfBytes(old);
    const to = now === undefined ? null : digestOfBytes(now);
    const names = [
      old === undefined ? '/dev/null' : `a/${file}`,
      now === undefined ? '/dev/null' : `b/${file}`,
    ] as const;
    const diff =
      createTwoFilesPatch(...names, old ?? '', now ?? '', undefined, undefined, {
        context: 3,
        maxEditLength: MAXIMUM_EDITS,
      }) ?? null;
    return [{ file, change: kindOf(from, to), from, to, diff }];
  });
}

const unionOf = (before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].sort();

function kindOf(from: Digest | null, to: Digest | null): Kind {
  if (from === null) return 'added';
  return to === null ? 'removed' : 'changed';
}
