import type { Id } from '../../domain/ids.ts';

export type ObjectId = Id<'object'>;
export type StoredObject = { readonly id: ObjectId; readonly bytes: number; readonly modifiedAt: number };

/**
 * Where sealed bytes live: files on one machine, blobs in Azure. Objects are written once under a random id and never
 * changed, so that a put needs no lock, and which of two equal artifacts counts is decided by a row alone.
 */
export type ObjectStore = {
  /** Writes the whole object. It becomes visible only when it is complete and durable; on any error nothing remains. Answers its size in bytes. Throws `Refusal` 503 when the storage can't write. */
  put(id: ObjectId, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number>;
  /** The bytes in order, or undefined when there is no such object. The caller reads to the end or calls `return()`. */
  read(id: ObjectId): Promise<AsyncIterable<Uint8Array> | undefined>;
  stat(id: ObjectId): Promise<StoredObject | undefined>;
  /** Removes an object; absent already is success. */
  delete(id: ObjectId): Promise<void>;
  /** Every object, in no order, a page at a time inside; objects put meanwhile may be missing. */
  list(): AsyncIterable<StoredObject>;
};
