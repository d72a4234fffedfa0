/**
 * What Azure Resource Manager's answer means for whoever asked.
 * - `unsigned`: this process has no sign-in, so that nothing was sent;
 * - `denied`: the sign-in is not taken, or lacks a right (401, 403);
 * - `absent`: there is no such thing (404);
 * - `conflict`: something else is under way there (409);
 * - `refused`: it will not do what it was asked, now or later (400 and the like);
 * - `passing`: no answer, or one of a service that is away, busy or not itself (408, 429, 5xx, nonsense). It may or may not have heard.
 */
export type ArmFault = 'unsigned' | 'denied' | 'absent' | 'conflict' | 'refused' | 'passing';

/** A call of Azure Resource Manager that gave no answer to go on with. The message never holds a token or what was sent. */
export class ArmFailed extends Error {
  override readonly name = 'ArmFailed';
  readonly fault: ArmFault;
  /** The service's own error code (`SubscriptionNotFound`, …); empty when it gave none. */
  readonly code: string;
  /** How long the service asked to wait, in milliseconds; 0 when it did not. */
  readonly afterMs: number;
  constructor(fault: ArmFault, message: string, { code = '', afterMs = 0 } = {}) {
    super(message);
    this.fault = fault;
    this.code = code;
    this.afterMs = afterMs;
  }
}

/** Codes that say the service is not itself, whatever status or result they came with. */
const PASSING_CODE = /^(InternalServerError|ServerTimeout|ServiceUnavailable|GatewayTimeout|OperationTimedOut)$/;
const DENIED_CODE = /(AuthorizationFailed|InvalidAuthenticationToken\w*|ExpiredAuthenticationToken)$/;

/** What an answer other than success means. `code` decides where a status says too little: a look ahead that fails is answered with 200. */
export function faultOf(status: number, code: string): ArmFault {
  if (status === 408 || status === 429 || status >= 500 || PASSING_CODE.test(code)) return 'passing';
  if (status === 401 || status === 403 || DENIED_CODE.test(code)) return 'denied';
  if (status === 404) return 'absent';
  if (status === 409) return 'conflict';
  // Beside errors only success is expected: a redirect is not followed, and what it leads to is no answer.
  return status >= 400 || code !== '' ? 'refused' : 'passing';
}
