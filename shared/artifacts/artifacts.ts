import { randomBytes } from 'node:crypto';
import type { Digest } from '../domain/digest.ts';
import { newId, type TenantId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { ArtifactKind } from '../jobs/protocol.ts';
import { findArtifact, insertArtifactIfAbsent } from '../store/artifacts/artifacts.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, one, write } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import { KeyUnusable, type KeyWrapper } from './keys/key-wrapper.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { openSealed } from './sealing/open.ts';
import { type Measured, sealBytes, sealStream, TooLong } from './sealing/seal.ts';
import { ArtifactTampered } from './tampered.ts';

/** Who keeps an artifact alive. */
export type ArtifactOwner = {
  readonly type: 'request' | 'job' | 'application' | 'installation' | 'definitions' | 'tenant';
  readonly id: string;
  readonly name: string;
};
export type ArtifactInput = { readonly mediaType: string; readonly kind: ArtifactKind; readonly owner?: ArtifactOwner };
export type ArtifactRow = Parameters<typeof insertArtifactIfAbsent>[0];
export type ArtifactStat = { readonly digest: Digest; readonly size: number; readonly mediaType: string };

/** Bytes sealed into the object store, whose row is not written yet. Nothing refers to the object until it is. */
export type SealedArtifact = { readonly row: ArtifactRow; readonly input: ArtifactInput };

export type Artifacts = {
  /** Seals and records in one call. Answers what the artifact is; the same bytes again give the same answer. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>, input: ArtifactInput): Promise<ArtifactStat>;
  /**
   * Seals without recording, for callers that record inside their own transaction: `seal`, then in the transaction `record`, then `settle` with
   * what it answered. An object whose transaction failed is removed by the collector.
   */
  seal(bytes: Uint8Array | AsyncIterable<Uint8Array>, input: ArtifactInput): Promise<SealedArtifact>;
  /** Part of a transaction: the row if the tenant has none for this digest, and the owner's reference. Answers whether this object counts. */
  record(sealed: SealedArtifact): Command<boolean>;
  /** Removes the object of an artifact whose row already names another. */
  settle(sealed: SealedArtifact, counts: boolean): Promise<void>;
  /** Refuses with 410 `FACTORY-ARTIFACT-CLOSED`, as `open` and `bytes` do, one whose bytes were given up. */
  stat(digest: Digest): Promise<ArtifactStat | undefined>;
  /** The plaintext in order; what was read counts only when the stream ends without an error. 404 when unknown, `ArtifactTampered` when it is not what was sealed. */
  open(digest: Digest): Promise<AsyncIterable<Uint8Array>>;
  /** The whole plaintext, verified. 413 `FACTORY-ARTIFACT-TOO-LARGE` over `maximumBytes`. */
  bytes(digest: Digest, maximumBytes?: number): Promise<Buffer>;
};

export type ArtifactParts = {
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly keys: KeyWrapper;
  readonly tenantId: TenantId;
  /** Epoch milliseconds. */
  readonly now?: () => number;
};

/** What a wrapped key is for, as the key wrapper binds it. */
export const keyContext = (tenant: string, digest: string, objectId: string): string =>
  `${tenant}\n${digest}\n${objectId}`;

const tooLarge = (what: string, limit: number): Refusal =>
  new Refusal(
    413,
    'FACTORY-ARTIFACT-TOO-LARGE',
    `${what} is larger than the ${limit} bytes allowed here. Split it, or read it as a stream; nothing was kept.`,
  );

/**
 * The artifacts of one tenant: sealed bytes named by the sha256 of their plaintext. An object is written first, under a random id and with a key of
 * its own; the row, inserted if absent, then decides which object is the artifact, so that equal puts at once need no lock.
 */
export function createArtifacts(parts: ArtifactParts): Artifacts {
  const { store, objects, keys, tenantId, now = Date.now } = parts;

  async function seal(bytes: Uint8Array | AsyncIterable<Uint8Array>, input: ArtifactInput): Promise<SealedArtifact> {
    const createdAt = Math.floor(now());
    const objectId = newId('object', createdAt);
    const binding = { tenant: tenantId, objectId };
    const dataKey = randomBytes(32);
    let measured: Partial<Measured> = {};
    let storedBytes: number;
    if (bytes instanceof Uint8Array) {
      if (bytes.byteLength > LIMITS.artifact.bytes) throw tooLarge('The artifact', LIMITS.artifact.bytes);
      const sealed = await sealBytes(bytes, dataKey, binding);
      measured = { digest: sealed.digest, size: bytes.byteLength };
      storedBytes = await objects.put(objectId, sealed.parts);
    } else {
      try {
        storedBytes = await objects.put(objectId, sealStream(bytes, dataKey, binding, LIMITS.artifact.bytes, measured));
      } catch (error) {
        throw error instanceof TooLong ? tooLarge('The artifact', LIMITS.artifact.bytes) : error;
      }
    }
    const { digest, size } = measured;
    if (digest === undefined || size === undefined) throw new Error(`object ${objectId} was sealed without its digest`);
    const { wrapped, version } = await keys.wrap(dataKey, keyContext(tenantId, digest, objectId));
    const row: ArtifactRow = {
      tenant_id: tenantId,
      digest,
      size,
      media_type: input.mediaType,
      object_id: objectId,
      wrapped_key: Buffer.from(wrapped).toString('base64'),
      key_version: version,
      retention_class: 'standard',
      legal_hold: 0,
      base_digest: null,
      stored_bytes: storedBytes,
      encoding: 'zstd',
      created_at: createdAt,
      closed_at: null,
    };
    return { row, input };
  }

  function* record({ row, input }: SealedArtifact): Command<boolean> {
    const counts = (yield* write(insertArtifactIfAbsent(row))) === 1;
    if (input.owner !== undefined) {
      const { type, id, name } = input.owner;
      yield* write(
        insertArtifactReferenceIfAbsent({
          tenant_id: tenantId,
          digest: row.digest,
          kind: input.kind,
          owner_type: type,
          owner_id: id,
          name,
          created_at: row.created_at,
        }),
      );
    }
    return counts;
  }

  async function settle(sealed: SealedArtifact, counts: boolean): Promise<void> {
    if (!counts) await objects.delete(sealed.row.object_id);
  }

  async function rowOf(digest: Digest): Promise<ArtifactRow | undefined> {
    const row = await store.read('artifacts.find', () => one(findArtifact({ tenant: tenantId, digest })));
    if (row?.closed_at == null) return row;
    throw new Refusal(
      410,
      'FACTORY-ARTIFACT-CLOSED',
      `The bytes of artifact ${digest} were given up at ${new Date(row.closed_at).toISOString()}: they held hidden scenarios. A declaration's replacement is what its application declares now.`,
    );
  }

  async function openRow(row: ArtifactRow): Promise<AsyncIterable<Uint8Array>> {
    const { digest, size, object_id: objectId } = row;
    const dataKey = await keys
      .unwrap(
        { wrapped: Buffer.from(row.wrapped_key, 'base64'), version: row.key_version },
        keyContext(tenantId, digest, objectId),
      )
      .catch((error: unknown) => {
        throw error instanceof KeyUnusable ? new ArtifactTampered(digest, objectId, 'key', error.message) : error;
      });
    const stored = await objects.read(objectId);
    if (stored === undefined) throw new ArtifactTampered(digest, objectId, 'missing', 'its object is not in the store');
    return openSealed(stored, dataKey, { tenant: tenantId, objectId, digest, size });
  }

  async function known(digest: Digest): Promise<ArtifactRow> {
    const row = await rowOf(digest);
    if (row === undefined) throw notFound(`Artifact ${digest}`);
    return row;
  }

  return {
    seal,
    record,
    settle,
    async put(bytes, input) {
      const sealed = await seal(bytes, input);
      const counts = await store.run('artifacts.put', () => record(sealed));
      await settle(sealed, counts);
      return { digest: sealed.row.digest, size: sealed.row.size, mediaType: input.mediaType };
    },
    async stat(digest) {
      const row = await rowOf(digest);
      return row === undefined ? undefined : { digest, size: row.size, mediaType: row.media_type };
    },
    open: async (digest) => openRow(await known(digest)),
    async bytes(digest, maximumBytes = LIMITS.artifact.bytes) {
      const row = await known(digest);
      if (row.size > maximumBytes) throw tooLarge(`Artifact ${digest}`, maximumBytes);
      const chunks: Uint8Array[] = [];
      for await (const chunk of await openRow(row)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}
