import { z } from 'zod';
import { type Integrity, PACKAGE_MANAGERS } from './locked.ts';

const text = z.string().max(1_000);
const path = z.string().max(4_096);

/** A package that the lockfile names and that could not be fetched. */
const missingPackage = z.strictObject({ name: text, version: text, why: text });
export type MissingPackage = z.infer<typeof missingPackage>;

/** The description inside the `packages` artifact, file `packages.json`. */
export const packageCache = z.strictObject({
  schemaVersion: z.literal(1),
  registry: z.string(),
  /** Digests of the lockfiles whose packages are here. */
  base: z.string(),
  target: z.string().nullable(),
  contents: z.int().min(0),
  manager: z.enum(PACKAGE_MANAGERS).optional(),
  lockfileVersion: z.string().max(20).optional(),
  /** What could not be had, as far as it is named, and how many there are. */
  missing: z.array(missingPackage).max(200).optional(),
  missingCount: z.int().min(0).optional(),
  /**
   * What the change alone needs, where it was known before it was built: what could not be had, and what its manifests ask for though
   * its lockfile has nothing for it.
   */
  change: z
    .strictObject({
      missing: z.array(missingPackage).max(200),
      missingCount: z.int().min(0),
      unlocked: z.array(missingPackage).max(200),
    })
    .optional(),
  /** There was no lockfile to go by: when the packages were resolved for this request. */
  resolvedAt: z.iso.datetime().optional(),
  /** The package manager that an update was made with, and its version; absent where it is the sandbox's own npm. */
  updatedBy: z.string().max(100).optional(),
  /** What a person should know of how the packages were had, a sentence each. */
  notes: z.array(text).max(50).optional(),
});
export type PackageCache = z.infer<typeof packageCache>;

/** Files to write over a tree, and the lockfile to install from, which is not always one of them. */
export const packageFiles = z.strictObject({
  files: z.record(path, z.string()),
  lockfile: z.strictObject({ file: path, text: z.string() }),
});
export type PackageFiles = z.infer<typeof packageFiles>;

const place = z.string().regex(/^(?:sha512|sha384|sha256|sha1)\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{36,124}$/);

/** What a registry inside the sandbox answers with: path below it → content below `content-v2`, and the address it is locked to. */
export const servedIndex = z.array(
  z.strictObject({ path: z.string().max(1_000), content: place, url: z.string().max(2_000).optional() }),
);
export type ServedIndex = z.infer<typeof servedIndex>;

/** Where a content lies below `content-v2` (cacache's layout). */
export const contentPlace = ({ algorithm, hex }: Integrity): string =>
  `${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;

/** Names inside the artifact. Contents are named by base64url of their digest, which keeps a name below ustar's 100 bytes. */
export const cacheNames = {
  description: 'packages.json',
  /** Lockfile that was resolved for the base, which has none. */
  base: 'base.json',
  /** Manifests and lockfile of a dependency update. */
  target: 'target.json',
  /** For managers that ask a registry: what is here, by the path that they ask for. */
  index: 'index.json',
  /** How a release before named the two files of an update; artifacts of open requests still hold them. */
  earlierTarget: { 'target/package.json': 'package.json', 'target/package-lock.json': 'package-lock.json' },
  content: ({ algorithm, hex }: Integrity): string => `${algorithm}/${Buffer.from(hex, 'hex').toString('base64url')}`,
} as const;

const bytesOf = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const;

/** The digest a content's name promises; undefined for another name. */
export function contentDigest(name: string): Integrity | undefined {
  const [, stated, encoded = ''] = /^(sha512|sha384|sha256|sha1)\/([A-Za-z0-9_-]{20,90})$/.exec(name) ?? [];
  const algorithm = (['sha512', 'sha384', 'sha256', 'sha1'] as const).find((each) => each === stated);
  const bytes = Buffer.from(encoded, 'base64url');
  if (algorithm === undefined || bytes.byteLength !== bytesOf[algorithm]) return undefined;
  return { algorithm, hex: bytes.toString('hex') };
}
