import type { z } from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import { parseJsonBounded } from '../intake/json.ts';
import { schemaFaults } from '../intake/schema-faults.ts';

export type BodyStream = AsyncIterable<Uint8Array> | null;

/**
 * A body in memory. Refuses with 413 `FACTORY-BODY-TOO-LARGE` what is longer than `limit` bytes, as soon as that is known: the host
 * drops the rest, for as long as it likes. The stream is left as it is then, since ending it would end the connection
 * that the refusal goes out on.
 */
export async function readBytes(body: BodyStream, headers: Headers, limit: number): Promise<Uint8Array> {
  if (Number(headers.get('content-length') ?? 0) > limit) throw tooLarge(limit);
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream = body[Symbol.asyncIterator]();
  const read = () => stream.next().catch(brokenOff);
  for (let next = await read(); next.done !== true; next = await read()) {
    size += next.value.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(next.value);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}

/** The caller hung up, or was cut off: the answer is for nobody, and no fault of ours is logged. */
function brokenOff(): never {
  throw new Refusal(
    400,
    'FACTORY-BODY-BROKEN-OFF',
    'The body ended before it was whole. Send it again; nothing was changed.',
  );
}

const tooLarge = (limit: number): Refusal =>
  new Refusal(
    413,
    'FACTORY-BODY-TOO-LARGE',
    `The body is longer than the ${limit} bytes taken here. Send less, or upload an artifact and refer to it.`,
  );

/** The media type of a body without its parameters, in lower case; '' when none is named. */
export const mediaTypeOf = (headers: Headers): string =>
  (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/**
 * A JSON body that fits the schema; no body at all stands for `{}`. Refuses 415 another content type, 413 and 400 what
 * `parseJsonBounded` does, and 422 `FACTORY-BODY-INVALID` what does not fit, one detail a fault.
 */
export async function readJsonBody<T>(
  body: BodyStream,
  headers: Headers,
  schema: z.ZodType<T>,
  maxBytes: number = LIMITS.http.jsonBodyBytes,
): Promise<T> {
  const bytes = await readBytes(body, headers, maxBytes);
  if (bytes.byteLength === 0) return fitting(schema, {});
  const type = mediaTypeOf(headers);
  if (type !== 'application/json')
    throw new Refusal(
      415,
      'FACTORY-MEDIA-TYPE',
      `A body of type ${JSON.stringify(type.slice(0, 100))} can't be read here. Send application/json.`,
    );
  return fitting(schema, parseJsonBounded(bytes, { maxDepth: LIMITS.http.jsonDepth, maxBytes }));
}

function fitting<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid('FACTORY-BODY-INVALID', 'The body', schemaFaults(parsed.error.issues));
}

/** Query parameters that fit the schema. One given twice, and one that is not known, is refused with 422 `FACTORY-QUERY-INVALID`. */
export function readQuery<T>(query: URLSearchParams, schema: z.ZodType<T>): T {
  // Without a prototype, `__proto__` is a name like any other.
  const given: Record<string, string> = Object.create(null);
  for (const [name, value] of query) {
    if (Object.hasOwn(given, name))
      throw invalid('FACTORY-QUERY-INVALID', 'The query', [
        { pointer: `/${name}`, code: 'duplicate_key', message: 'It is given twice. Keep one.' },
      ]);
    given[name] = value;
  }
  const parsed = schema.safeParse(given, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid('FACTORY-QUERY-INVALID', 'The query', schemaFaults(parsed.error.issues));
}

function invalid(code: string, what: string, faults: ReturnType<typeof schemaFaults>): Refusal {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new Refusal(
    422,
    code,
    `${what} can't be taken: ${first?.pointer ? `${first.pointer}: ` : ''}${first?.message ?? ''}${more} Correct it and call again; nothing was changed.`,
    { details: faults.slice(0, 50) },
  );
}
