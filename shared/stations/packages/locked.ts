/** Why a manifest or lockfile can't be worked with, for a person: `code` is stable. */
export type LockfileFault = { readonly code: string; readonly question: string };

export const isFault = (value: object): value is LockfileFault => 'question' in value;

export function fault(code: string, question: string): LockfileFault {
  return { code, question };
}

/** A digest that a lockfile promises of a package's bytes (Subresource Integrity §3.1), the strongest it names. */
export type Integrity = { readonly algorithm: 'sha512' | 'sha384' | 'sha256' | 'sha1'; readonly hex: string };

/** One copy of a package in a lockfile, of whatever package manager. */
export type LockedPackage = {
  /** Where the lockfile has it: npm's `node_modules/a/node_modules/b`, another manager's key. */
  readonly place: string;
  /** Names that it is required by: its own, or an alias. */
  readonly keys: readonly string[];
  /** The name it is published by. */
  readonly name: string;
  readonly version: string;
  /**
   * `registry`: its bytes can be had and are promised. `bundled`: inside another's tarball. `local`: a folder of the repository.
   * `foreign`: from elsewhere, or without a digest; `why` says which.
   */
  readonly source: 'registry' | 'bundled' | 'local' | 'foreign';
  readonly why?: string;
  /** The registry address that is recorded; absent where the lockfile keeps none. */
  readonly resolved: string | undefined;
  readonly integrity: Integrity | undefined;
  /** A digest of what the manager makes of the tarball, which only that manager can check (yarn 2 and later). */
  readonly checksum?: string;
  /** Its manager wants its files on every system: yarn makes another package of them, with a patch. */
  readonly everywhere?: true;
  /** Only development needs it; undefined where the lockfile does not tell. */
  readonly development: boolean | undefined;
  /** It runs a command of its own when it is installed. */
  readonly hasInstallScript: boolean;
  readonly platform: {
    readonly os: readonly string[];
    readonly cpu: readonly string[];
    readonly libc: readonly string[];
    readonly optional: boolean;
  };
};

/** That one package or folder asks for another. */
export type Requirement = {
  /** The place of who asks; the empty string is the repository's own manifest, another folder of it is its path. */
  readonly from: string;
  /** The name that is asked for, which may be an alias. */
  readonly key: string;
  readonly range: string;
  /** It asks for it as a peer alone; absent where it asks otherwise too, or the lockfile does not tell. */
  readonly peer?: true;
  /** The place that it is served from; undefined where nothing was locked for it (an optional peer). */
  readonly to: string | undefined;
};

export type Lock = {
  readonly manager: PackageManager;
  readonly file: string;
  /** As the lockfile has it: `2`, `3`, `9.0`. */
  readonly version: string;
  readonly packages: readonly LockedPackage[];
  readonly requirements: readonly Requirement[];
};

export const PACKAGE_MANAGERS = ['npm', 'pnpm', 'yarn', 'berry'] as const;
export type PackageManager = (typeof PACKAGE_MANAGERS)[number];

/** Every copy of a package, by the name it is published by and by each name it is required by. */
export function copiesOf({ packages }: Lock, name: string): LockedPackage[] {
  return packages.filter((locked) => locked.name === name || locked.keys.includes(name));
}

/** Versions of a package that a lockfile holds, each once, in order. */
export function lockedVersions(lock: Lock, name: string): string[] {
  return [...new Set(copiesOf(lock, name).map(({ version }) => version))].sort();
}

const integrityForm = /^(sha512|sha384|sha256|sha1)-([A-Za-z0-9+/]+={0,2})(?:\?|$)/;
const integrityBytes = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const;
const strongest = ['sha512', 'sha384', 'sha256', 'sha1'] as const;

/** The strongest digest of an integrity value that is well-formed. */
export function readIntegrity(text: string | undefined): Integrity | undefined {
  const named = (text ?? '').split(/\s+/).flatMap((part): Integrity[] => {
    const [, algorithm, encoded] = integrityForm.exec(part) ?? [];
    if (algorithm === undefined || encoded === undefined) return [];
    const bytes = Buffer.from(encoded, 'base64');
    const known = strongest.find((each) => each === algorithm);
    return known !== undefined && bytes.byteLength === integrityBytes[known]
      ? [{ algorithm: known, hex: bytes.toString('hex') }]
      : [];
  });
  return strongest.flatMap((algorithm) => named.filter((each) => each.algorithm === algorithm))[0];
}

/** Where every registry keeps a package's tarball, below its own address. */
export function usualTarballPath(name: string, version: string): string {
  return `${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

export const isPackageName = (name: string): boolean =>
  /^(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*\/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]*$/.test(name) && name.length <= 214;
