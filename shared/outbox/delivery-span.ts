import { type Attributes, recorder, type SpanKind } from '../telemetry/recorder.ts';
import { newSpanId, requestSpan, type SpanContext } from '../telemetry/span-context.ts';
import { failureOf, traceparentOf, under } from '../telemetry/spans.ts';
import type { OutboxBody, OutboxEntry } from './entry.ts';

/** What committed an entry, known to the process that did. Whoever delivers it in its stead finds the request from the entry itself. */
const causes = new WeakMap<OutboxEntry, SpanContext>();
/** The span under which an entry is being delivered. */
const deliveries = new WeakMap<OutboxEntry, SpanContext>();

/** Remembers what committed these entries. */
export function causedBy(cause: SpanContext, entries: readonly OutboxEntry[]): void {
  for (const entry of entries) causes.set(entry, cause);
}

/** The `traceparent` that a message about an entry carries; undefined when telemetry is off. */
export function deliveryTraceparent(entry: OutboxEntry): string | undefined {
  const span = deliveries.get(entry);
  return span === undefined ? undefined : traceparentOf(span);
}

/** Delivers entries, each as a span in the trace of its request; those of an installation have none. */
export async function tracedDelivery(entries: readonly OutboxEntry[], deliver: () => Promise<void>): Promise<void> {
  const to = recorder();
  if (to === undefined) return await deliver();
  const startedAt = Date.now();
  const from = performance.now();
  const spans = entries.flatMap((entry) => {
    const request = requestOf(entry.body);
    if (request === undefined) return [];
    const parent = causes.get(entry) ?? requestSpan(request);
    const context = { traceId: parent.traceId, spanId: newSpanId() };
    deliveries.set(entry, context);
    return [{ entry, parent, context, request }];
  });
  const end = (failure: string | undefined): void => {
    const endedAt = startedAt + performance.now() - from;
    for (const { entry, parent, context, request } of spans) {
      const { name, kind, attributes } = describe(entry);
      const told = { ...attributes, 'factory.request': request };
      to.span({ name, kind, context, parent, links: [], startedAt, endedAt, attributes: told, failure });
    }
  };
  const [only] = spans;
  try {
    await (entries.length === 1 && only !== undefined
      ? under({ ...only.context, parent: only.parent }, deliver)
      : deliver());
    end(undefined);
  } catch (error) {
    end(failureOf(error));
    throw error;
  }
}

function requestOf(body: OutboxBody): string | undefined {
  if (body.kind === 'hint' || body.kind === 'seal') return body.request;
  return body.orchestrator === 'request' ? body.id : undefined;
}

function describe({ id, body }: OutboxEntry): { name: string; kind: SpanKind; attributes: Attributes } {
  if (body.kind === 'hint')
    return {
      name: `send ${body.pool}`,
      kind: 'producer',
      attributes: {
        'messaging.system': 'servicebus',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': body.pool,
        'messaging.message.id': id,
        'factory.job': body.job,
      },
    };
  if (body.kind === 'seal')
    return { name: `seal ${body.subject}`, kind: 'internal', attributes: { 'factory.round': body.round } };
  return { name: `${body.kind} orchestration`, kind: 'client', attributes: { 'factory.run': body.run } };
}
