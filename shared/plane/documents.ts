import type { Digest } from '../domain/digest.ts';
import { DocumentNotLoaded, type Documents } from '../line/context.ts';

type Loaders = { readonly [K in keyof Documents]: (digest: Digest) => Promise<ReturnType<Documents[K]>> };
export type DocumentCache = { readonly documents: Documents; load(missing: DocumentNotLoaded): Promise<void> };

const KEPT = { definitions: 32, declaration: 256, packet: 512 } as const;

/** Pinned documents by digest, least recently used ones dropped. Reading one that is not here throws `DocumentNotLoaded`, which `load` mends. */
export function createDocumentCache(loaders: Loaders): DocumentCache {
  const caches = {
    definitions: new Map<Digest, unknown>(),
    declaration: new Map<Digest, unknown>(),
    packet: new Map<Digest, unknown>(),
  };
  const get = <K extends keyof Documents>(kind: K, digest: Digest): ReturnType<Documents[K]> => {
    const cache = caches[kind];
    const found = cache.get(digest);
    if (found === undefined) throw new DocumentNotLoaded(kind, digest);
    cache.delete(digest);
    cache.set(digest, found);
    return found as ReturnType<Documents[K]>;
  };
  return {
    documents: {
      definitions: (digest) => get('definitions', digest),
      declaration: (digest) => get('declaration', digest),
      packet: (digest) => get('packet', digest),
    },
    async load({ kind, digest }) {
      const value: unknown = await loaders[kind](digest);
      const cache = caches[kind];
      cache.set(digest, value);
      for (const oldest of cache.keys()) {
        if (cache.size <= KEPT[kind]) break;
        cache.delete(oldest);
      }
    },
  };
}
