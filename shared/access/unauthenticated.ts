import { Refusal } from '../domain/refusal.ts';

/**
 * No identity could be established. The caller learns only that; `reason`, a short word, is counted for the audit, so that a
 * forger is not told how close they came.
 */
export class Unauthenticated extends Refusal {
  readonly reason: string;
  constructor(reason: string) {
    super(
      401,
      'FACTORY-UNAUTHENTICATED',
      'The call carries no access token that this plane accepts. Send "Authorization: Bearer" with a current token of the configured issuer.',
    );
    this.reason = reason;
  }
}
