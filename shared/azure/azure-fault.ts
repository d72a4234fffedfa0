import { Refusal } from '../domain/refusal.ts';

/** The HTTP status an Azure service answered, as the SDK's `RestError` carries it; undefined for anything else. */
export function answeredStatus(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** The service's own error code (`BlobNotFound`, …). The SDK puts it into `code`, or only into `details.errorCode` when the answer has no body. */
export function answeredCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('details' in error && typeof error.details === 'object' && error.details !== null) {
    const { details } = error;
    if ('errorCode' in details && typeof details.errorCode === 'string') return details.errorCode;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Errors that the SDK or the socket reports when no service answered at all. */
const UNREACHED = new Set([
  'REQUEST_SEND_ERROR',
  'ENOTFOUND',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EPIPE',
]);
const RETRY_AFTER_SECONDS = 5;

/**
 * A service that is away, throttles, fails or does not let this identity in becomes 503 `FACTORY-STORE-UNAVAILABLE`: none of it is the caller's fault.
 * Any other error is returned as it is. By then the SDK's own bounded retries are used up.
 */
export function asServiceRefusal(error: unknown, what: string): unknown {
  const status = answeredStatus(error);
  const code = answeredCode(error) ?? '';
  const denied = status === 401 || status === 403;
  const away = status === undefined ? UNREACHED.has(code) || isCredentialFault(error) : status >= 500 || status === 429;
  if (!denied && !away) return error;
  const why =
    status === undefined ? 'the service or the issuer of tokens was not reached' : `the service answered ${status}`;
  const advice = denied
    ? "Check the role assignments of the plane's identity and the network rules of the service."
    : 'Repeat the call later.';
  return new Refusal(
    503,
    'FACTORY-STORE-UNAVAILABLE',
    `${what} could not be reached: ${why}${code === '' ? '' : ` (${code})`}. Nothing was kept of it. ${advice}`,
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}

const isCredentialFault = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'CredentialUnavailableError' || error.name === 'AuthenticationError');
