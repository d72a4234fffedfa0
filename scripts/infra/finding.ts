import type { Document } from './bicep/document.ts';
import type { Landing } from './landing.ts';

/** What a check found wrong: where, and in words that say what to do. */
export type Finding = { readonly check: string; readonly where: string; readonly what: string };

/** A check of the landing zone: its number in the review list (or a letter for agreement with the code), and what it demands. */
export type Check = {
  readonly id: string;
  readonly title: string;
  /** The part that rests on resources alone: it runs over the source, and over what the compiler made of it. */
  readonly onResources?: (documents: readonly Document[]) => Iterable<Fault>;
  /** The part that rests on the files of the landing zone. */
  readonly run?: (landing: Landing) => Iterable<Fault>;
};

export type Fault = { readonly where: string; readonly what: string };

/** A fault at a line of a template. */
export const fault = (document: Document, line: number, what: string): Fault => ({
  where: `${document.file}:${line}`,
  what,
});

/** Runs checks in order and names each finding by its check. */
export function runChecks(landing: Landing, checks: readonly Check[]): Finding[] {
  return checks.flatMap((check) =>
    [...(check.onResources?.(landing.templates) ?? []), ...(check.run?.(landing) ?? [])].map((found) => ({
      check: check.id,
      ...found,
    })),
  );
}

/** The parts of the checks that rest on resources alone, over compiled templates. */
export function runOnCompiled(documents: readonly Document[], checks: readonly Check[]): Finding[] {
  return checks.flatMap((check) =>
    [...(check.onResources?.(documents) ?? [])].map((found) => ({ check: check.id, ...found })),
  );
}
