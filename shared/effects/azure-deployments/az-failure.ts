import type { Failure } from '../../domain/failure.ts';
import type { AzFailed } from './az.ts';

/** What it means for a job that Azure's command line did not answer. A template that is refused again and again is met by the limit of equal failures. */
export function azFailure(error: AzFailed): Failure {
  if (error.absent)
    return {
      kind: 'needs_human',
      code: 'AZ-ABSENT',
      question: `No deployment can be looked at or made: ${error.message}. Run the effector where az is installed and signed in, and retry?`,
    };
  return {
    kind: 'retryable',
    class: 'transient_infra',
    code: 'AZURE-UNANSWERED',
    message: error.message.slice(0, 2_000),
  };
}
