import type { Failure } from '../../domain/failure.ts';
import type { RefusalCode, SandboxRefusal } from '../../sandbox/refusal.ts';
import { CodeHostUnreachable } from '../code-hosts/code-host.ts';

/** The host did not answer as it should; asking again may help. */
const UNREACHABLE: ReadonlySet<RefusalCode> = new Set(['GIT-FAILED', 'GIT-TIMED-OUT']);

/**
 * What a source that could not be had means: a host out of reach may come back, a source that is too large, broken or hostile is for a
 * person to look at.
 */
export function sourceFailure(
  error: SandboxRefusal | CodeHostUnreachable,
  repository: string,
  branch: string,
): Failure {
  const where = `branch ${branch} of repository ${repository}`;
  if (error instanceof CodeHostUnreachable || UNREACHABLE.has(error.code)) {
    return {
      kind: 'retryable',
      class: 'transient_infra',
      code: 'SOURCE-UNREACHABLE',
      message: `The source could not be fetched (${where}): ${error.message}`.slice(0, 2_000),
    };
  }
  const path = error.path === null ? '' : ` (at ${error.path})`;
  const limit = error.limit === null ? '' : ` The limit is ${error.limit}.`;
  return {
    kind: 'needs_human',
    code: error.code,
    question:
      `The source can't be used (${where}): ${error.message}${path}.${limit} Correct the repository or the packet and submit again, or say how to proceed?`.slice(
        0,
        2_000,
      ),
  };
}
