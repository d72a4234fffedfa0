import { Refusal } from '../domain/refusal.ts';

/** Bytes of a representation, both ends included. */
export type ByteRange = { readonly first: number; readonly last: number };

/** None of the bytes asked for is there (RFC 9110 §15.5.17); `size` goes into the answer's `Content-Range`. */
export class RangeUnsatisfiable extends Refusal {
  readonly size: number;
  constructor(size: number) {
    super(
      416,
      'FACTORY-RANGE-UNSATISFIABLE',
      `Of ${size} bytes none is in the range asked for. Ask for one that begins below ${size}.`,
    );
    this.size = size;
  }
}

/** Digits of a position: more than any artifact has bytes, and few enough for a number. */
const POSITION = /^(\d{0,15})-(\d{0,15})$/;

/**
 * The single byte range that a GET asks for (RFC 9110 §14.1.2, §14.2), or undefined when the whole is to be answered: none asked, another
 * unit, several ranges, a malformed one, or an `If-Range` (§13.1.5) that names another version than `tag`, a strong one. Throws
 * `RangeUnsatisfiable` when no byte of it is there.
 */
export function byteRange(headers: Headers, size: number, tag: string): ByteRange | undefined {
  const condition = headers.get('if-range');
  if (condition !== null && condition.trim() !== tag) return undefined;
  const asked = /^\s*bytes\s*=\s*([^,]*)$/i.exec(headers.get('range') ?? '')?.[1]?.trim();
  const [, from = '', to = ''] = POSITION.exec(asked ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  // Without a beginning it is the length of the end.
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (first <= last) return { first, last };
  throw new RangeUnsatisfiable(size);
}

/** These bytes of a stream. The source is closed behind the last of them. */
export async function* bytesOf(
  source: AsyncIterable<Uint8Array>,
  { first, last }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of source) {
    const begin = Math.max(first - at, 0);
    const end = Math.min(last + 1 - at, chunk.byteLength);
    if (begin < end) yield chunk.subarray(begin, end);
    at += chunk.byteLength;
    if (at > last) return;
  }
}
