import { ArmFailed, faultOf } from './arm-failed.ts';

/** The part of the Azure SDK's `TokenCredential` that is used. */
export type ArmCredential = {
  getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
};

export type ArmCall = {
  /** In words, for errors. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly body?: unknown;
};
export type ArmAnswer = {
  readonly status: number;
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
  readonly location: string | undefined;
  /** What Retry-After asked for; 0 when it did not. */
  readonly afterMs: number;
};
/** One call over HTTPS. @throws ArmFailed for every answer but 2xx; the signal's reason when that fired. */
export type ArmSend = (call: ArmCall, withinMs: number, signal: AbortSignal) => Promise<ArmAnswer>;

/** A token that ends sooner than this is not sent any more. */
const TOKEN_RESERVE_MS = 5 * 60_000;
const SAID_LENGTH = 1_000;

export function armTransport(origin: string, credential: ArmCredential, answerBytes: number): ArmSend {
  let known: { readonly token: string; readonly until: number } | undefined;
  const newToken = async (): Promise<string> => {
    const given = await credential.getToken(`${origin}/.default`).catch((error: unknown) => {
      throw unsigned(error);
    });
    if (given === null) throw unsigned(undefined);
    known = { token: given.token, until: given.expiresOnTimestamp - TOKEN_RESERVE_MS };
    return given.token;
  };

  const send: ArmSend = async (call, withinMs, signal) => {
    const { what, method, url, body } = call;
    const kept = known !== undefined && Date.now() < known.until ? known.token : undefined;
    const late = AbortSignal.timeout(Math.ceil(withinMs));
    const over = AbortSignal.any([signal, late]);
    let bearer = kept;
    try {
      bearer ??= await orAborted(newToken(), over);
      const response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        redirect: 'manual',
        signal: over,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await bounded(response, answerBytes, what);
      const afterMs = retryAfter(response.headers.get('retry-after'));
      if (response.ok)
        return {
          status: response.status,
          body: parsed(text, what),
          location: response.headers.get('location') ?? undefined,
          afterMs,
        };
      if (response.status === 401) known = undefined;
      // A kept token may have been taken back since: what it was refused for was not done.
      if (response.status === 401 && kept !== undefined) return await send(call, withinMs, signal);
      const correlation = response.headers.get('x-ms-correlation-request-id') ?? '';
      throw answered(what, response.status, text.replaceAll(bearer, '…'), { afterMs, correlation });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ArmFailed) throw error;
      if (late.aborted) throw new ArmFailed('passing', `${what}: no answer of Azure within ${Math.round(withinMs)} ms`);
      // fetch tells the reason in the cause, and the address nowhere else.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
      throw new ArmFailed(
        'passing',
        `${what}: Azure was not reached: ${error instanceof Error ? error.message : String(error)} ${cause}`.trim(),
      );
    }
  };
  return send;
}

/** The libraries of identities take no signal that ends all they do. */
function orAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

function unsigned(error: unknown): ArmFailed {
  const absent = !(error instanceof Error) || error.name === 'CredentialUnavailableError';
  const why = error instanceof Error ? printable(error.message).slice(0, 300) : 'it gave no token';
  return new ArmFailed(absent ? 'unsigned' : 'passing', `The effector has no token for Azure: ${why}`);
}

async function bounded(response: Response, most: number, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > most) throw new ArmFailed('passing', `${what}: Azure answered with more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string, what: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new ArmFailed('passing', `${what}: Azure answered what is no JSON`);
  }
}

/** Whatever an error's body says is somebody's text: bounded, without control characters, and never believed beyond its code. */
function answered(
  what: string,
  status: number,
  text: string,
  { afterMs, correlation }: { readonly afterMs: number; readonly correlation: string },
): ArmFailed {
  const { code, said } = errorOf(text);
  // What an operator gives to Azure's support, and finds the call by in the activity log.
  const by = /^[0-9a-f-]{36}$/i.test(correlation) ? ` (correlation id ${correlation})` : '';
  return new ArmFailed(faultOf(status, code), `${what}: Azure answered ${`${status} ${said}`.trim()}${by}`, {
    code,
    afterMs,
  });
}

function errorOf(text: string): { readonly code: string; readonly said: string } {
  let error: unknown;
  try {
    error = (JSON.parse(text) as { readonly error?: unknown } | null)?.error;
  } catch {
    error = undefined;
  }
  return saidOf(error);
}

/** An ARM error (`{code, message}`) in one line. */
export function saidOf(error: unknown): { readonly code: string; readonly said: string } {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const short = typeof code === 'string' ? printable(code).slice(0, 100) : '';
  const words = typeof message === 'string' ? printable(message).slice(0, SAID_LENGTH) : '';
  return { code: short, said: [short, words].filter((part) => part !== '').join(': ') };
}

const printable = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim();

/** Seconds, or a date (RFC 9110 §10.2.3). */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, Math.ceil(ms)) : 0;
}
