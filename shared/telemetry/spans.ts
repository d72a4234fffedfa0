import { AsyncLocalStorage } from 'node:async_hooks';
import { type Attributes, recorder, type SpanKind } from './recorder.ts';
import { formatTraceparent, newSpanId, requestSpan, type SpanContext } from './span-context.ts';

/**
 * The span under way. Which request a call is about may come out only while it is served: until then it has no trace, and nothing
 * below it is recorded.
 */
export type ActiveSpan = { readonly spanId: string; traceId: string | undefined; parent: SpanContext | undefined };

const active = new AsyncLocalStorage<ActiveSpan>();

/** Runs a step, and all that it starts, under a span. */
export function under<T>(span: ActiveSpan, step: () => T): T {
  return active.run(span, step);
}

/** The span that this code runs under, once its trace is known. */
export function activeSpan(): SpanContext | undefined {
  const span = active.getStore();
  return span?.traceId === undefined ? undefined : { traceId: span.traceId, spanId: span.spanId };
}

/** Tells the span under way that it is about this request, unless it belongs to a trace already. */
export function aboutRequest(request: string): void {
  const span = active.getStore();
  if (span === undefined || span.traceId !== undefined) return;
  span.parent = requestSpan(request);
  span.traceId = span.parent.traceId;
}

/** The `traceparent` under which others go on from a span. */
export const traceparentOf = (span: SpanContext): string =>
  formatTraceparent(span, recorder()?.sampled(span.traceId) ?? false);

/** What came of a step, in words that may be recorded. */
export function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

export type SpanDescription = {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  /** The span under way when absent; without either nothing is recorded. */
  readonly parent?: SpanContext | undefined;
  readonly links?: readonly SpanContext[];
};

/**
 * Runs a step as a span of its own, recorded when the step ends, with what `told` makes of its answer. Costs a comparison when
 * telemetry is off.
 */
export async function traced<T>(
  what: SpanDescription,
  step: (span: SpanContext | undefined) => Promise<T>,
  told?: (value: T) => Attributes,
): Promise<T> {
  const to = recorder();
  const parent = to === undefined ? undefined : (what.parent ?? activeSpan());
  if (to === undefined || parent === undefined) return await step(undefined);
  const context = { traceId: parent.traceId, spanId: newSpanId() };
  const startedAt = Date.now();
  const from = performance.now();
  const end = (failure: string | undefined, more: Attributes = {}): void =>
    to.span({
      name: what.name,
      kind: what.kind,
      context,
      parent,
      links: what.links ?? [],
      startedAt,
      endedAt: startedAt + performance.now() - from,
      attributes: { ...what.attributes, ...more },
      failure,
    });
  try {
    const value = await under({ ...context, parent }, () => step(context));
    end(undefined, told?.(value));
    return value;
  } catch (error) {
    end(failureOf(error));
    throw error;
  }
}
