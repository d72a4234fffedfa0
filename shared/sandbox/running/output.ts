import type { Readable } from 'node:stream';

export type CapturedOutput = { bytes(): Uint8Array; truncated(): boolean };

/** Keeps the first `limit` bytes of a stream, goes on draining it, and calls `onFlood` once when `floodBytes` went past. */
export function captureOutput(
  stream: Readable,
  limit: number,
  floodBytes: number,
  onFlood: () => void,
): CapturedOutput {
  const chunks: Buffer[] = [];
  let kept = 0;
  let seen = 0;
  stream.on('data', (chunk: Buffer) => {
    const before = seen;
    seen += chunk.length;
    if (kept < limit) {
      const part = chunk.subarray(0, limit - kept);
      // A copy: a slice would keep the stream's whole 64 KiB read buffer alive.
      chunks.push(Buffer.from(part));
      kept += part.length;
    }
    if (before < floodBytes && seen >= floodBytes) onFlood();
  });
  // A pipe that breaks when the tree is killed is the expected end, and the result says how it ended.
  stream.on('error', () => undefined);
  return {
    bytes: () => {
      // Kept joined: who follows an output asks again and again.
      if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
      return chunks[0] ?? Buffer.alloc(0);
    },
    truncated: () => seen > kept,
  };
}
