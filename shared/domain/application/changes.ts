import { canonicalJson } from '../digest.ts';
import type { ApplicationDeclaration } from './declaration.ts';

/** The parts of a declaration, by their names in it, that another one has differently; sorted. */
export function declarationChanges(before: ApplicationDeclaration, after: ApplicationDeclaration): string[] {
  const [old, now]: Readonly<Record<string, unknown>>[] = [before, after];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => canonicalJson(old?.[name] ?? null) !== canonicalJson(now?.[name] ?? null))
    .toSorted();
}
