import { minVersion, parse, satisfies, validRange } from 'semver';
import { isPackageName } from './locked.ts';

/** What a manifest says of a dependency, as far as it names a package of a registry (npm's package.json, "dependencies"). */
export type Specifier =
  | {
      readonly kind: 'registry';
      /** The name that the package is published by; another than its key for an alias. */
      readonly name: string;
      /** `npm:name@` of an alias, empty otherwise. */
      readonly prefix: string;
      /** A semver range, or a tag. */
      readonly range: string;
    }
  | { readonly kind: 'reference' }
  | { readonly kind: 'foreign' };

const alias = /^npm:((?:@[^/@\s]+\/)?[^/@\s]+)(?:@(.*))?$/;

/** Reads a specifier. `reference` points to another entry or to the repository itself (`$name`, `workspace:`, `catalog:`). */
export function readSpecifier(key: string, text: string): Specifier {
  const specifier = text.trim();
  if (/^(?:\$|workspace:|catalog:)/.test(specifier)) return { kind: 'reference' };
  const [, name, aliased] = alias.exec(specifier) ?? [];
  const range = name === undefined ? specifier : (aliased ?? '');
  if (validRange(range) === null && !/^[A-Za-z][A-Za-z0-9._-]*$/.test(range)) return { kind: 'foreign' };
  if (name !== undefined && !isPackageName(name)) return { kind: 'foreign' };
  if (/\.tgz$|^file/.test(range)) return { kind: 'foreign' };
  return {
    kind: 'registry',
    name: name ?? key,
    prefix: name === undefined ? '' : specifier.slice(0, specifier.length - range.length),
    range,
  };
}

/** Whether a range lets a version in; a tag lets any. */
export const admits = (range: string, version: string): boolean =>
  validRange(range) === null || satisfies(version, range);

/** How a manifest writes a range that has to be written anew: settings of npm that a repository may hold. */
export type SaveStyle = { readonly exact: boolean; readonly prefix: string };

const single = /^(\^|~|=|>=|v|=v)?(\s*)v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const partial = /^(\^|~)?(\d+)(?:\.(\d+|[xX*]))?(?:\.([xX*]))?$/;

/**
 * The range that asks for a version in the form of the old one: a pin stays a pin, an operator stays, `4.x` stays of that form. A
 * range of another form that lets the version in stays as it is; one that does not is written anew in the repository's style.
 */
export function rangeFor(old: string, version: string, style: SaveStyle): string {
  const range = old.trim();
  const [matched, operator = '', space = ''] = single.exec(range) ?? [];
  // A range that begins above the version (a downgrade) is written anew in the same form as well.
  if (matched !== undefined) return `${operator}${space}${version}`;
  if (admits(range, version)) return old;
  const [, sign = '', , minor, patch] = partial.exec(range) ?? [];
  const parsed = parse(version);
  if (partial.test(range) && parsed !== null && parsed.prerelease.length === 0) {
    const second = minor === undefined ? '' : /\d/.test(minor) ? `.${parsed.minor}` : `.${minor}`;
    const written = `${sign}${parsed.major}${second}${patch === undefined ? '' : `.${patch}`}`;
    if (satisfies(version, written)) return written;
  }
  return style.exact ? version : `${style.prefix}${version}`;
}

/** A peer's range is a promise to others: it is widened by the version, never narrowed. */
export function widenedFor(old: string, version: string, style: SaveStyle): string {
  if (admits(old, version)) return old;
  const added = style.exact ? version : `${style.prefix}${version}`;
  return minVersion(old) === null ? added : `${old.trim()} || ${added}`;
}
