import type { Failure } from '../../domain/failure.ts';
import type { PlaneProblem } from '../../jobs/client/plane-problem.ts';
import type { EffectKind } from '../../jobs/protocol.ts';

/** What the plane's refusal to let an effect begin means for its job. */
export function intendRefusal(problem: PlaneProblem, kind: EffectKind): Failure {
  const message = `The effect ${kind} was not begun: ${problem.message}`.slice(0, 2_000);
  const code = problem.code.slice(0, 64);
  if (code === 'FACTORY-APPROVAL-STALE') return { kind: 'retryable', class: 'approval_stale', code, message };
  if (code === 'FACTORY-WRONG-STATE') return { kind: 'cancelled', message };
  if (problem.status >= 500 || problem.status === 429)
    return { kind: 'retryable', class: 'transient_infra', code, message };
  if (problem.status === 403)
    return {
      kind: 'needs_human',
      code,
      question: `${message} Should the policy, the effector's role or the request change?`.slice(0, 2_000),
    };
  return { kind: 'terminal', code, message };
}
