import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { recorder } from '../../shared/telemetry/recorder.ts';
import { newSpanId, newTraceId, parseTraceparent, type SpanContext } from '../../shared/telemetry/span-context.ts';
import { type ActiveSpan, under } from '../../shared/telemetry/spans.ts';
import type { Route } from './http/route.ts';
import { pathOf } from './http/route.ts';

/** Answers that say that the caller is nobody, or not who may: nothing it sent is believed. */
const REFUSED: readonly (number | string)[] = [401, 403];

/**
 * Serves a call as a span (HTTP server spans of OpenTelemetry's semantic conventions). Recorded are calls that changed a request, calls of a worker for its
 * job, and those that failed for a reason of ours; not those that only read, which people and programs repeat. The trace is the request's own: a worker's
 * call goes on from the worker's span; any other caller's `traceparent` is linked, so that nobody outside can write into a trace.
 */
export async function spannedCall(
  route: Route,
  request: HttpRequest,
  context: InvocationContext,
  serve: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  const to = recorder();
  if (to === undefined) return await serve();
  const caller = parseTraceparent(request.headers.get('traceparent'));
  const worker = route.access.kind === 'worker' ? caller : undefined;
  const span: ActiveSpan = { spanId: newSpanId(), traceId: worker?.traceId, parent: worker };
  const startedAt = Date.now();
  const from = performance.now();
  const answer = await under(span, serve);
  const status = Number(answer.status ?? 200);
  const refused = REFUSED.includes(status);
  if (status < 500 && (refused || span.traceId === undefined)) return answer;
  const host = parseTraceparent(context.traceContext?.traceParent);
  to.span({
    name: `${route.method} ${pathOf(route)}`,
    kind: 'server',
    context: { traceId: span.traceId ?? newTraceId(), spanId: span.spanId },
    parent: span.parent,
    links: [caller, host].filter((link): link is SpanContext => link !== undefined && link !== span.parent),
    startedAt,
    endedAt: startedAt + performance.now() - from,
    attributes: {
      'http.request.method': route.method,
      'http.route': pathOf(route),
      'http.response.status_code': status,
      'url.scheme': new URL(request.url).protocol.slice(0, -1),
      'url.path': new URL(request.url).pathname,
    },
    failure: status >= 500 ? String(status) : undefined,
  });
  return answer;
}
