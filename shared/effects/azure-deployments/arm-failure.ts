import type { Failure } from '../../domain/failure.ts';
import type { ArmFailed } from './arm-failed.ts';

/** Why a person has to look, and at what; one that may pass by itself is not here. */
const ASKED = {
  unsigned: [
    'AZURE-NOT-SIGNED-IN',
    'Give the process its managed identity (AZURE_CLIENT_ID), or sign in with az login on the machine of the effector, and retry?',
  ],
  denied: [
    'AZURE-DENIED',
    "Give the effector's identity the role Azure Deployment Stack Contributor, and what the resources of the template need, at that subscription and of its tenant, and retry?",
  ],
  absent: [
    'AZURE-ABSENT',
    "Is the subscription the one that the environment declares, and does the effector's identity see it? Correct either, and retry?",
  ],
  refused: [
    'AZURE-REFUSED',
    'Change what it names, compile, commit to the folder that the environment declares, and submit again?',
  ],
} as const;

const TEXT_LENGTH = 2_000;

/** What it means for a job that Azure Resource Manager gave no answer to go on with. Equal failures end by their own limit. */
export function armFailure({ fault, message, afterMs }: ArmFailed): Failure {
  if (fault === 'passing' || fault === 'conflict')
    return {
      kind: 'retryable',
      class: 'transient_infra',
      code: fault === 'passing' ? 'AZURE-UNANSWERED' : 'AZURE-BUSY',
      message: message.slice(0, TEXT_LENGTH),
      ...(afterMs === 0 ? {} : { afterMs }),
    };
  const [code, advice] = ASKED[fault];
  const said = message.slice(0, TEXT_LENGTH - advice.length - 2);
  return { kind: 'needs_human', code, question: `${said}. ${advice}` };
}
