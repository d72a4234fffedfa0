import { createHash, randomBytes } from 'node:crypto';

/** Where a span is: its trace and its own id, in lower-case hexadecimal (W3C Trace Context §3.2.2). */
export type SpanContext = { readonly traceId: string; readonly spanId: string };

/**
 * A trace follows from the id of its request, and the spans that others hang under follow from ids that every process has anyway. So no process carries
 * state for it, and what is done again after a crash, by whomever, lands in the same trace under the same parent.
 */
const derived = (bytes: number, ...names: readonly (string | number)[]): string =>
  createHash('sha256')
    .update(names.join('\n'))
    .digest('hex')
    .slice(0, bytes * 2);

export const traceOfRequest = (request: string): string => derived(16, 'trace', request);

/** The whole of a request, from submission to its end: the root of its trace. */
export const requestSpan = (request: string): SpanContext => ({
  traceId: traceOfRequest(request),
  spanId: derived(8, 'request', request),
});

/** One attempt at a job: the work of one worker under one lease. */
export const attemptSpan = (request: string, job: string, epoch: number): SpanContext => ({
  traceId: traceOfRequest(request),
  spanId: derived(8, 'attempt', job, epoch),
});

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** What a `traceparent` of version 00 says (W3C Trace Context §3.2), or undefined when it is absent or malformed. */
export function parseTraceparent(value: unknown): SpanContext | undefined {
  const match = typeof value === 'string' ? TRACEPARENT.exec(value) : null;
  const [, traceId, spanId] = match ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** The `traceparent` of a span (W3C Trace Context §3.2). */
export const formatTraceparent = ({ traceId, spanId }: SpanContext, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
