import { z } from 'zod';

/** The description inside the `packages` artifact, file `packages.json`. */
export const packageCache = z.strictObject({
  schemaVersion: z.literal(1),
  registry: z.string(),
  /** Digests of the lockfiles whose packages are here. */
  base: z.string(),
  target: z.string().nullable(),
  contents: z.int().min(0),
});
export type PackageCache = z.infer<typeof packageCache>;

/** Names inside the artifact. Contents are named by base64url of their sha512, which keeps a name below ustar's 100 bytes. */
export const cacheNames = {
  description: 'packages.json',
  manifest: 'target/package.json',
  lockfile: 'target/package-lock.json',
  content: (sha512: string): string => `sha512/${Buffer.from(sha512, 'hex').toString('base64url')}`,
} as const;

/** The digest a content's name promises, in hexadecimal; undefined for another name. */
export function contentDigest(name: string): string | undefined {
  const [, encoded] = /^sha512\/([A-Za-z0-9_-]{86})$/.exec(name) ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString('hex');
}
