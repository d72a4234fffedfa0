/**
 * A precise refusal of a caller's input or of a call at the wrong time: it changes nothing, and says what happened, to what,
 * why, and what to do. It becomes an RFC 9457 problem at the HTTP edge.
 */
export type RefusalDetail = { readonly pointer: string; readonly code: string; readonly message: string };

export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** HTTP status (RFC 9110 §15). */
  readonly status: number;
  /** Stable code, e.g. `FACTORY-LEASE-LOST`; never renamed. */
  readonly code: string;
  /** One entry a fault, each with a JSON pointer (RFC 6901) into the refused input. */
  readonly details: readonly RefusalDetail[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { details?: readonly RefusalDetail[]; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const notFound = (what: string): Refusal =>
  new Refusal(
    404,
    'FACTORY-NOT-FOUND',
    `${what} was not found, or is not yours to see. Check the id and the identity you call with.`,
  );

export const leaseLost = (job: string): Refusal =>
  new Refusal(
    409,
    'FACTORY-LEASE-LOST',
    `The lease named for job ${job} is not current: it expired, was released, was claimed by another worker, or never was. Stop the work and claim again; nothing was changed.`,
  );
