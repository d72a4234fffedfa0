/**
 * Cuts a stream of chunks of any size into slices of exactly `size` bytes; only the last may be shorter, and is never empty
 * unless the whole stream is. Each slice says whether it is the last, which is known because one byte more is awaited.
 * Holds at most one slice and one chunk.
 */
export async function* slices(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly last: boolean }> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (length === size) {
        yield { bytes: joined(held), last: false };
        held = [];
        length = 0;
      }
      const part = rest.subarray(0, size - length);
      held.push(part);
      length += part.byteLength;
      rest = rest.subarray(part.byteLength);
    }
  }
  yield { bytes: joined(held), last: true };
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
