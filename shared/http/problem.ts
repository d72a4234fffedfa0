import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Refusal, type RefusalDetail } from '../domain/refusal.ts';
import { revealed } from '../domain/text/hidden.ts';

/** A problem document (RFC 9457 §3.1), with a stable code and a fault each in `errors`. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly RefusalDetail[];
  /** The call it is about; of an unexpected error the id under which it was logged. */
  readonly instance: string;
};
export type ProblemAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: Problem;
};

/** What a caller may learn of an error. Anything that is no refusal is logged under an id and tells nothing else. */
export function problemOf(
  error: unknown,
  path: string,
  report: (error: unknown, correlation: string) => void,
): ProblemAnswer {
  if (error instanceof Refusal) return refused(error, path);
  const code = codeOf(error);
  if (code === 'FACTORY-AUDIT-REWOUND')
    return refused(
      new Refusal(
        503,
        code,
        'The database knows less than the audit anchors say it once knew: it was restored or rewritten. Nothing is taken on until an operator accepts the restore (GET /api/v1/restore).',
        { retryAfterSeconds: 60 },
      ),
      path,
    );
  const correlation = randomUUID();
  report(error, correlation);
  const known = code === 'FACTORY-ARTIFACT-TAMPERED' ? code : 'FACTORY-INTERNAL';
  const detail =
    known === 'FACTORY-INTERNAL'
      ? `Something went wrong inside the plane. Call again; if it stays, tell an operator this id: ${correlation}.`
      : `The stored artifact can't be trusted and was not answered. Tell an operator this id: ${correlation}.`;
  return answer(500, known, detail, `urn:uuid:${correlation}`, [], undefined);
}

function refused(refusal: Refusal, path: string): ProblemAnswer {
  return answer(refusal.status, refusal.code, refusal.message, path, refusal.details, refusal.retryAfterSeconds);
}

function answer(
  status: number,
  code: string,
  detail: string,
  instance: string,
  errors: readonly RefusalDetail[],
  retryAfterSeconds: number | undefined,
): ProblemAnswer {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterSeconds)));
  // RFC 6750 §3: without a reason, since a caller that sent no good token is told none.
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  const problem = {
    type: `urn:factory:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    // Texts of a packet or a repository come back in it.
    detail: revealed(detail),
    code,
    instance: revealed(instance),
  };
  return { status, headers, problem: errors.length > 0 ? { ...problem, errors: errors.map(shown) } : problem };
}

const shown = (fault: RefusalDetail): RefusalDetail => ({
  ...fault,
  pointer: revealed(fault.pointer),
  message: revealed(fault.message),
});

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
