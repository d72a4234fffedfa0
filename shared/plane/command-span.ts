import type { Committed } from '../line/scope.ts';
import { causedBy } from '../outbox/delivery-span.ts';
import type { Store } from '../store/store.ts';
import { tellFacts } from '../telemetry/facts.ts';
import { recorder } from '../telemetry/recorder.ts';
import { newSpanId, requestSpan } from '../telemetry/span-context.ts';
import { aboutRequest, activeSpan } from '../telemetry/spans.ts';

/** When a command began, to measure it by. Nothing is measured when telemetry is off. */
export type CommandStart = { readonly at: number; readonly from: number } | undefined;

export const commandStart = (): CommandStart =>
  recorder() === undefined ? undefined : { at: Date.now(), from: performance.now() };

/**
 * Tells what a command committed: its facts, and a span in the trace of the request it touched, under the call it was made for or else under the request
 * itself. What it told the outbox goes out under that span.
 */
export function recordCommand(
  label: string,
  dialect: Store['dialect'],
  start: CommandStart,
  committed: Committed<unknown>,
): void {
  const to = recorder();
  if (to === undefined || start === undefined) return;
  if (committed.facts !== undefined) tellFacts(committed.facts);
  const request = committed.touched.find((id) => id.startsWith('req_'));
  if (request !== undefined) aboutRequest(request);
  const parent = activeSpan() ?? (request === undefined ? undefined : requestSpan(request));
  if (parent === undefined) return;
  const context = { traceId: parent.traceId, spanId: newSpanId() };
  const local = dialect === 'sqlite';
  to.span({
    name: label,
    kind: local ? 'internal' : 'client',
    context,
    parent,
    links: [],
    startedAt: start.at,
    endedAt: start.at + performance.now() - start.from,
    attributes: {
      'db.system.name': local ? 'sqlite' : 'microsoft.sql_server',
      'db.operation.name': label,
      ...(request === undefined ? {} : { 'factory.request': request }),
    },
    failure: undefined,
  });
  causedBy(context, committed.outbox);
}
