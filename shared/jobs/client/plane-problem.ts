/** The plane answered, and refused: an RFC 9457 problem. Nothing was changed by the refused call. */
export class PlaneProblem extends Error {
  override readonly name = 'PlaneProblem';
  /** HTTP status (RFC 9110 §15). */
  readonly status: number;
  /** The plane's stable code, e.g. `FACTORY-LEASE-LOST`; `HTTP-<status>` when the answer was not a problem document. */
  readonly code: string;
  /** From `Retry-After` (RFC 9110 §10.2.3), in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer within the time there was: the call may or may not have had its effect, and is safe to repeat with the same key. */
export class PlaneUnreachable extends Error {
  override readonly name = 'PlaneUnreachable';
  readonly code = 'PLANE-UNREACHABLE';
}

/** The bytes received are not the ones that were asked for. */
export class ArtifactCorrupt extends Error {
  override readonly name = 'ArtifactCorrupt';
  readonly code = 'ARTIFACT-CORRUPT';
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof PlaneProblem && error.code === 'FACTORY-LEASE-LOST';
}
