import type { Failure } from '../../domain/failure.ts';
import type { RefusalCode, SandboxRefusal } from '../../sandbox/refusal.ts';
import { CodeHostUnreachable } from '../code-hosts/code-host.ts';

/** git or the host did not work as it should; nothing is known to be wrong with the change. */
const MAY_PASS: ReadonlySet<RefusalCode> = new Set(['GIT-FAILED', 'GIT-TIMED-OUT', 'GIT-CANCELLED']);

/** What it means that a change could not be opened or its target not be looked at. Whatever was begun is looked at by the next attempt. */
export function deliverFailure(error: SandboxRefusal | CodeHostUnreachable): Failure {
  const unreachable = error instanceof CodeHostUnreachable;
  if (unreachable ? !error.permanent : MAY_PASS.has(error.code)) {
    return {
      kind: 'retryable',
      class: 'transient_infra',
      code: unreachable ? 'TARGET-UNREACHABLE' : error.code,
      message: error.message.slice(0, 2_000),
    };
  }
  if (unreachable)
    return {
      kind: 'needs_human',
      code: 'TARGET-UNREACHABLE',
      question:
        `The change can't be delivered: ${error.message} Retry the request afterwards, or say how to proceed?`.slice(
          0,
          2_000,
        ),
    };
  const question = `The change can't be delivered: ${error.message}. It was tested before, so source or change were damaged since. Retry the request, or say how to proceed?`;
  return { kind: 'needs_human', code: error.code, question: question.slice(0, 2_000) };
}
