/** The newest contents, so that a message sent to a waiting consumer is not read back from disk. */
export interface ContentCache {
  set(sequenceNumber: number, content: Uint8Array): void;
  get(sequenceNumber: number): Uint8Array | undefined;
  delete(sequenceNumber: number): void;
}

/** Holds up to `maxBytes` of contents; the first that came goes first. A backlog is read from disk, a queue that is kept empty never is. */
export function createContentCache(maxBytes: number): ContentCache {
  const contents = new Map<number, Uint8Array>();
  let bytes = 0;
  const remove = (sequenceNumber: number): void => {
    const content = contents.get(sequenceNumber);
    if (content === undefined) return;
    contents.delete(sequenceNumber);
    bytes -= content.byteLength;
  };
  return {
    set(sequenceNumber, content) {
      remove(sequenceNumber);
      contents.set(sequenceNumber, content);
      bytes += content.byteLength;
      for (const oldest of contents.keys()) {
        if (bytes <= maxBytes) break;
        remove(oldest);
      }
    },
    get: (sequenceNumber) => contents.get(sequenceNumber),
    delete: remove,
  };
}
