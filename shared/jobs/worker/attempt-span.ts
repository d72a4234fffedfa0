import { recorder } from '../../telemetry/recorder.ts';
import { attemptSpan, newSpanId, parseTraceparent, requestSpan } from '../../telemetry/span-context.ts';
import { under } from '../../telemetry/spans.ts';
import type { ClaimAnswer } from '../protocol.ts';
import type { Ended } from './report-work.ts';

/** When a claim was asked for, by the clock that spans are told in, and what told of work: the `traceparent` of a hint's message. */
export type ClaimAsked = { readonly at: number; readonly from: number; readonly hint: unknown };

export const claimAsked = (hint: unknown): ClaimAsked => ({ at: Date.now(), from: performance.now(), hint });

/**
 * Runs a claimed job as the span of its attempt, from the claim on. Which job a claim yields is not the hint's to say, so the hint is linked and no parent;
 * the span hangs under its request. A worker that dies leaves no span of its own, and the next attempt's stands beside it.
 */
export async function tracedAttempt<T extends Ended>(
  claim: ClaimAnswer,
  asked: ClaimAsked,
  run: () => Promise<T>,
): Promise<T> {
  const to = recorder();
  if (to === undefined) return await run();
  const { request, job, epoch, pool, task } = claim;
  const parent = requestSpan(request);
  const context = attemptSpan(request, job, epoch);
  const elapsed = (): number => asked.at + performance.now() - asked.from;
  const hint = parseTraceparent(asked.hint);
  to.span({
    name: 'worker.claim',
    kind: 'internal',
    context: { traceId: context.traceId, spanId: newSpanId() },
    parent: context,
    links: [],
    startedAt: asked.at,
    endedAt: elapsed(),
    attributes: {},
    failure: undefined,
  });
  const ended = await under({ ...context, parent }, run);
  to.span({
    name: `process ${pool}`,
    kind: 'consumer',
    context,
    parent,
    links: hint === undefined ? [] : [hint],
    startedAt: asked.at,
    endedAt: elapsed(),
    attributes: {
      'messaging.system': 'servicebus',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': pool,
      'factory.request': request,
      'factory.application': claim.application,
      'factory.node': claim.node,
      'factory.round': claim.round,
      'factory.job': job,
      'factory.attempt': claim.attempt,
      'factory.epoch': epoch,
      'factory.task': task,
      'factory.job.end': ended.end,
    },
    failure: ended.end === 'failed' || ended.end === 'lost' ? ended.end : undefined,
  });
  return ended;
}
