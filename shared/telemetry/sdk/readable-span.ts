import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { LIMITS } from '../../domain/limits.ts';
import type { Attributes, EndedSpan } from '../recorder.ts';
import type { SpanContext } from '../span-context.ts';
import { SCOPE } from './scope.ts';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

const hrTime = (milliseconds: number): HrTime => [
  Math.floor(milliseconds / 1_000),
  Math.round((milliseconds % 1_000) * 1_000_000),
];
const sampled = (context: SpanContext) => ({ ...context, traceFlags: TraceFlags.SAMPLED });

/** A recorded span in the form that exporters take. */
export function readableSpan(span: EndedSpan, resource: Resource): ReadableSpan {
  const context = sampled(span.context);
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(span.parent === undefined ? {} : { parentSpanContext: sampled(span.parent) }),
    startTime: hrTime(span.startedAt),
    endTime: hrTime(span.endedAt),
    duration: hrTime(Math.max(0, span.endedAt - span.startedAt)),
    ended: true,
    status: { code: span.failure === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes: bounded(
      span.failure === undefined ? span.attributes : { ...span.attributes, 'error.type': span.failure },
    ),
    links: span.links.map((link) => ({ context: sampled(link) })),
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function bounded(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, LIMITS.telemetry.valueLength) : value,
    ]),
  );
}
