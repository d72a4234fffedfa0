import type { Failure } from '../../domain/failure.ts';
import type { RefusalCode, SandboxRefusal } from '../../sandbox/refusal.ts';
import { CodeHostUnreachable } from '../code-hosts/code-host.ts';

/** The host did not answer as it should, for a reason that git's words don't tell; asking again may help. */
const MAY_PASS: ReadonlySet<RefusalCode> = new Set(['GIT-FAILED', 'GIT-TIMED-OUT']);

const unreachable = (error: SandboxRefusal | CodeHostUnreachable): boolean =>
  error instanceof CodeHostUnreachable ? !error.permanent : MAY_PASS.has(error.code);

/**
 * What a source that could not be had means: a host out of reach may come back; one that is too large, broken, hostile or closed to the
 * factory is for a person to look at, at once.
 */
export function sourceFailure(
  error: SandboxRefusal | CodeHostUnreachable,
  repository: string,
  revision: string,
): Failure {
  const where = `${revision} of repository ${repository}`;
  if (unreachable(error)) {
    return {
      kind: 'retryable',
      class: 'transient_infra',
      code: 'SOURCE-UNREACHABLE',
      message: `The source could not be fetched (${where}): ${error.message}`.slice(0, 2_000),
    };
  }
  const refusal = error instanceof CodeHostUnreachable ? null : error;
  const path = refusal === null || refusal.path === null ? '' : ` (at ${refusal.path})`;
  const limit = refusal === null || refusal.limit === null ? '' : ` The limit is ${refusal.limit}.`;
  const what = `${error.message.replace(/\.$/, '')}${path}.${limit}`;
  return {
    kind: 'needs_human',
    code: refusal?.code ?? 'SOURCE-UNREACHABLE',
    question:
      `The source can't be used (${where}): ${what} Correct the repository or the packet and submit again, or say how to proceed?`.slice(
        0,
        2_000,
      ),
  };
}
