import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Artifacts, createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { type LocalKeys, openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import type { ObjectId, ObjectStore } from '../../shared/artifacts/objects/object-store.ts';
import { newId, type TenantId } from '../../shared/domain/ids.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A directory that goes away after the test. */
export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'factory-artifacts-'));
  closing.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

export type Place = {
  readonly path: string;
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly objectPath: (id: string) => string;
  readonly keys: LocalKeys;
  readonly tenantId: TenantId;
  readonly artifacts: Artifacts;
};

/** Real parts in a directory of their own: store, files, key file. */
export async function place(options: { now?: () => number; path?: string } = {}): Promise<Place> {
  const path = options.path ?? (await directory());
  const store = openSqliteStore({ file: join(path, 'plane.db') });
  closing.push(() => store.close());
  const objects = await openFileObjects(join(path, 'objects'));
  const keys = await openKeyFile(join(path, 'wrapping-keys.json'));
  const tenantId = newId('tenant', 1);
  const artifacts = createArtifacts({
    store,
    objects,
    keys,
    tenantId,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  return {
    path,
    store,
    objects,
    objectPath: (id) => join(path, 'objects', id.slice(-2), id),
    keys,
    tenantId,
    artifacts,
  };
}

export async function objectIds(objects: ObjectStore): Promise<ObjectId[]> {
  const ids: ObjectId[] = [];
  for await (const object of objects.list()) ids.push(object.id);
  return ids.sort();
}

export async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
