import { z } from 'zod';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';
import type { Submitted } from '../../../shared/intake/submit.ts';
import type { Answer } from './route.ts';

export const KEY_HEADER = {
  'Idempotency-Key': {
    required: true,
    description: 'A call repeated with the same key and content within a day gets the first answer',
  },
} as const;

export const submittedAnswer = z.object({
  id: z.string(),
  state: z.string(),
  packet: z.string(),
  links: z.object({ self: z.string() }),
});

/** The key of the header; 400 `FACTORY-KEY-MISSING` without one, 422 for one that can't be a key. */
export function idempotencyKey(headers: Headers): string {
  const key = headers.get('idempotency-key');
  if (key === null || key === '') {
    throw new Refusal(
      400,
      'FACTORY-KEY-MISSING',
      'This call starts work. Send an Idempotency-Key header, so that it can be repeated without starting it twice.',
    );
  }
  if (key.length > LIMITS.http.idempotencyKeyLength || !/^[\x21-\x7e]+$/.test(key)) {
    throw new Refusal(
      422,
      'FACTORY-KEY-INVALID',
      `An Idempotency-Key has at most ${LIMITS.http.idempotencyKeyLength} printable ASCII characters without spaces. Send another.`,
    );
  }
  return key;
}

/** The caller's trace (W3C Trace Context §3.2), or null when it is absent or malformed. */
export function traceparentOf(headers: Headers): string | null {
  const value = headers.get('traceparent');
  return value !== null && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : null;
}

export function submitted({ id, state, packet }: Submitted): Answer {
  const self = `/api/v1/requests/${id}`;
  return { status: 202, json: { id, state, packet, links: { self } }, headers: { location: self, 'retry-after': '1' } };
}
