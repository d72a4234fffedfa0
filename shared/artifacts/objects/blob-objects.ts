import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { answeredStatus, asServiceRefusal } from '../../azure/azure-fault.ts';
import { parseId } from '../../domain/ids.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { ObjectId, ObjectStore, StoredObject } from './object-store.ts';

/** Bytes a block: what one put holds in memory is a few of them. */
const BLOCK = 4 * 1024 * 1024;
const BLOCKS_AT_ONCE = 2;
const CONTENT = { blobHTTPHeaders: { blobContentType: 'application/octet-stream' } };

/** The last two characters of an id are random: names that began with the time would all fall into one range of the service's partitions. */
const place = (id: ObjectId): string => `${id.slice(-2)}/${id}`;

const absent = (error: unknown): undefined => {
  if (answeredStatus(error) === 404) return undefined;
  throw error;
};

/**
 * The blob driver: one block blob an object. Blocks that were staged and never committed are invisible, and the service drops them after a
 * week, so a put that dies leaves nothing. Repeating a put is harmless, since an id is only ever given to one sequence of bytes.
 */
export function openBlobObjects(container: ContainerClient): ObjectStore {
  const blobOf = (id: ObjectId): BlockBlobClient => container.getBlockBlobClient(place(id));
  const guarded = async <T>(id: ObjectId, step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw asServiceRefusal(error, `Object ${id}`);
    }
  };

  return {
    put: (id, bytes) => crossing('artifact.write', () => guarded(id, () => upload(blobOf(id), bytes))),
    read: (id) =>
      guarded(id, async () => {
        const answer = await blobOf(id).download(0, undefined, { maxRetryRequests: 3 }).catch(absent);
        return answer?.readableStreamBody === undefined ? undefined : chunksOf(id, answer.readableStreamBody);
      }),
    stat: (id) =>
      guarded(id, async (): Promise<StoredObject | undefined> => {
        const found = await blobOf(id).getProperties().catch(absent);
        return found === undefined
          ? undefined
          : { id, bytes: found.contentLength ?? 0, modifiedAt: found.lastModified?.getTime() ?? 0 };
      }),
    delete: (id) =>
      guarded(id, async () => {
        await blobOf(id).deleteIfExists({ deleteSnapshots: 'include' });
      }),
    async *list() {
      for await (const blob of container.listBlobsFlat()) {
        const id = parseId('object', blob.name.slice(blob.name.indexOf('/') + 1));
        if (id !== undefined)
          yield { id, bytes: blob.properties.contentLength ?? 0, modifiedAt: blob.properties.lastModified.getTime() };
      }
    },
  };
}

/** One request for an object of one block, as most are; else blocks as they come, and their list at the end. Answers the size. */
async function upload(blob: BlockBlobClient, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  const source = toAsync(bytes);
  const first: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (size < BLOCK) {
    const next = await source.next();
    if (next.done === true) {
      ended = true;
      break;
    }
    first.push(next.value);
    size += next.value.byteLength;
  }
  if (ended) {
    await blob.upload(Buffer.concat(first), size, CONTENT);
    return size;
  }
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    yield* first;
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      size += next.value.byteLength;
      yield next.value;
    }
  };
  await blob.uploadStream(Readable.from(counted(), { objectMode: false }), BLOCK, BLOCKS_AT_ONCE, CONTENT);
  return size;
}

async function* toAsync(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

/** A stream that breaks off after the SDK's own retries is a storage that is away, not an object that was changed. */
async function* chunksOf(id: ObjectId, stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } catch (error) {
    throw asServiceRefusal(error, `Object ${id}`);
  }
}
