/** A requirement as data (PEP 508), with the digests of the files that may satisfy it. */
export type Requirement = {
  /** Normalised (PEP 503). */
  readonly name: string;
  /** Extras, version specifier and marker as pip reads them, without digests. */
  readonly text: string;
  /** Hexadecimal; empty where nothing pins the bytes. */
  readonly sha256: readonly string[];
};

/** What the files of a base ask for, and what of it can't be served: whole sentences. */
export type Requirements = {
  readonly wanted: readonly Requirement[];
  readonly constraints: readonly string[];
  readonly left: readonly string[];
};

export const normalName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

const named =
  /^(?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?<rest>(?:\[[A-Za-z0-9._,\s-]*\])?\s*(?:\(?[\s0-9A-Za-z.,*+!<>=~_-]*\)?)?\s*(?:;[^\0\n]*)?)$/;

/** A requirement of its text, or undefined for one that comes from an address or a path, which no index serves. */
export function requirementOf(text: string, sha256: readonly string[] = []): Requirement | undefined {
  const { groups } = named.exec(text.trim()) ?? {};
  if (groups?.['name'] === undefined || text.length > 1_000) return undefined;
  // An arbitrary equality (`===`) takes any text; everything else is a version.
  return { name: normalName(groups['name']), text: text.trim(), sha256 };
}
