import { MICROS, type Micros } from '../domain/cost/money.ts';
import { recorder } from './recorder.ts';
import { parseTraceparent, requestSpan } from './span-context.ts';

/** What a command changed that is counted or ends a span: told after its commit, and only then. */
export type Fact =
  | {
      readonly kind: 'request_ended';
      readonly request: string;
      readonly application: string;
      readonly line: string;
      readonly state: string;
      readonly startedAt: number;
      readonly endedAt: number;
      /** The `traceparent` that its submission came with. */
      readonly traceparent: string | null;
    }
  | { readonly kind: 'job_failed'; readonly pool: string; readonly signature: string; readonly class: string }
  | { readonly kind: 'lease_expired'; readonly pool: string }
  | { readonly kind: 'defect_escaped'; readonly signature: string; readonly class: string }
  /** `amount` in micro-units. */
  | { readonly kind: 'charged'; readonly application: string; readonly currency: string; readonly amount: Micros };

/** Records what was committed. */
export function tellFacts(facts: readonly Fact[]): void {
  const to = recorder();
  if (to === undefined) return;
  for (const fact of facts) {
    switch (fact.kind) {
      case 'lease_expired':
        to.count('factory.lease.expiries', { pool: fact.pool });
        break;
      case 'job_failed':
        to.count('factory.jobs.failed', { pool: fact.pool, signature: fact.signature, class: fact.class });
        break;
      case 'defect_escaped':
        to.count('factory.defects.escaped', { signature: fact.signature, class: fact.class });
        break;
      case 'charged':
        to.count('factory.cost', { application: fact.application, currency: fact.currency }, fact.amount / MICROS);
        break;
      case 'request_ended': {
        const { request, application, line, state, startedAt, endedAt } = fact;
        to.count('factory.requests.ended', { state, application });
        const caller = parseTraceparent(fact.traceparent);
        to.span({
          name: 'request',
          kind: 'internal',
          context: requestSpan(request),
          parent: undefined,
          links: caller === undefined ? [] : [caller],
          startedAt,
          endedAt,
          attributes: {
            'factory.request': request,
            'factory.application': application,
            'factory.line': line,
            'factory.state': state,
          },
          failure: undefined,
        });
        break;
      }
    }
  }
}
