import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxRefusal } from '../refusal.ts';
import { MESSAGE_BYTES } from './protocol.ts';

/** What the platform's credential gives: the part of the Azure SDK's `TokenCredential` that is used. */
export type SessionCredential = {
  getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
};

/** Times in milliseconds. */
export type PoolTimes = {
  /** How long a session is waited for while the pool is full or away. */
  readonly allocate: number;
  /** How long a session that runs may not be reached before it counts as lost. */
  readonly unreachable: number;
  /** One call, beside what it was asked to wait. */
  readonly call: number;
  /** Between two tries, at first; doubled up to sixteen times of it, and never shorter than the pool asks for. */
  readonly pause: number;
};
export const poolTimes: PoolTimes = { allocate: 180_000, unreachable: 45_000, call: 60_000, pause: 250 };

/** The audience that the management endpoint of a pool takes tokens for (learn.microsoft.com: container-apps/sessions-usage). */
const SCOPE = 'https://dynamicsessions.io/.default';
/** Of the one call of the management API itself (learn.microsoft.com: container-apps/sessions-custom-container, Stop a session). */
const STOP_API_VERSION = '2025-10-02-preview';
const LONGEST_PAUSE_MS = 10_000;
const TOKEN_RESERVE_MS = 5 * 60_000;

export type Call = {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** What the agent may keep it waiting for. */
  readonly waitMs?: number;
  /** Most bytes of the answer. */
  readonly most?: number;
  readonly signal?: AbortSignal;
};

/** The one session of an identifier that nobody used before. */
export type PoolSession = {
  /** @throws SandboxRefusal `SANDBOX-POOL-BUSY` when the pool had no session in time, `SANDBOX-UNAVAILABLE` when it refuses this worker. */
  allocate(call: Call): Promise<Buffer>;
  /** For what may be repeated. @throws SandboxRefusal `SANDBOX-SESSION-LOST` */
  repeat(call: Call): Promise<Buffer>;
  /** For what may not. @throws SandboxRefusal `SANDBOX-SESSION-LOST` also when it may have been heard */
  once(call: Call): Promise<Buffer>;
  /** Ends the session, whatever runs in it. Never throws: what can't be ended ends by its cooldown. */
  end(): Promise<void>;
};

/** An answer that is none of a session at work: the status, or 0 when there was no answer. */
class CallFailed extends Error {
  readonly status: number;
  readonly retryAfterMs: number;
  constructor(status: number, why: string, retryAfterMs = 0) {
    super(why);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The pool, its ingress or the way there; a session at work is not told apart from one that is gone. */
const PASSING: ReadonlySet<number> = new Set([0, 408, 429, 500, 502, 503, 504]);

/** Speaks with sessions of a pool through its management endpoint. The token goes to the endpoint alone, and is in no message. */
export function sessionPool(
  endpoint: string,
  credential: SessionCredential,
  times: PoolTimes,
): (identifier: string) => PoolSession {
  let known: { readonly token: string; readonly until: number } | undefined;
  const token = async (): Promise<string> => {
    if (known === undefined || Date.now() >= known.until) {
      const given = await credential.getToken(SCOPE).catch((cause: unknown) => {
        throw unavailable('the identity of this worker gives no token for it', cause);
      });
      if (given === null) throw unavailable('the identity of this worker gives no token for it');
      known = { token: given.token, until: given.expiresOnTimestamp - TOKEN_RESERVE_MS };
    }
    return known.token;
  };

  const send = async (identifier: string, call: Call): Promise<Buffer> => {
    const url = new URL(`${endpoint.replace(/\/$/, '')}${call.path}`);
    url.searchParams.set('identifier', identifier);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, String(value));
    const headers = { authorization: `Bearer ${await token()}` };
    const late = AbortSignal.timeout(times.call + (call.waitMs ?? 0));
    try {
      const response = await fetch(url, {
        method: call.method,
        headers: call.body === undefined ? headers : { ...headers, 'content-type': 'application/octet-stream' },
        // The token goes nowhere else.
        redirect: 'error',
        signal: call.signal === undefined ? late : AbortSignal.any([late, call.signal]),
        ...(call.body === undefined ? {} : { body: call.body }),
      });
      const body = await bounded(response, call.most ?? MESSAGE_BYTES);
      if (response.status === 401 || response.status === 403) {
        known = undefined;
        throw unavailable(
          `it answered ${response.status}: the worker's identity needs the role of a session executor on the pool`,
        );
      }
      if (response.status === 200) return body;
      const after = Number(response.headers.get('retry-after') ?? 0);
      const said = body.toString('utf8', 0, 300).replaceAll(/\p{Cc}+/gu, ' ');
      throw new CallFailed(
        response.status,
        `${response.status} ${said}`.trim(),
        Number.isFinite(after) ? after * 1000 : 0,
      );
    } catch (error) {
      if (error instanceof CallFailed || error instanceof SandboxRefusal) throw error;
      // fetch tells the reason in the cause, and the address nowhere else.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
      throw new CallFailed(0, `${error instanceof Error ? error.message : String(error)} ${cause}`.trim());
    }
  };

  return (identifier) => {
    const patiently = async (
      call: Call,
      forMs: number,
      gaveUp: (failed: CallFailed) => SandboxRefusal,
    ): Promise<Buffer> => {
      const until = performance.now() + forMs;
      for (let pause = times.pause; ; pause = Math.min(pause * 2, times.pause * 16)) {
        try {
          return await send(identifier, call);
        } catch (error) {
          if (!(error instanceof CallFailed)) throw error;
          const wait = Math.min(Math.max(pause, error.retryAfterMs), LONGEST_PAUSE_MS);
          const over = call.signal?.aborted === true || performance.now() + wait > until;
          if (!PASSING.has(error.status) || over) throw gaveUp(error);
          await sleep(wait, undefined, call.signal === undefined ? {} : { signal: call.signal }).catch(() => undefined);
        }
      }
    };
    const lost = (failed: CallFailed): SandboxRefusal =>
      new SandboxRefusal(
        'SANDBOX-SESSION-LOST',
        `the session does not go on, and what it did is not known: ${failed.message}`,
      );
    const notGiven = (failed: CallFailed): SandboxRefusal =>
      PASSING.has(failed.status)
        ? new SandboxRefusal(
            'SANDBOX-POOL-BUSY',
            `the session pool gave no session within ${times.allocate / 1000} s: ${failed.message}. Raise maximumSessions if this lasts`,
          )
        : unavailable(`it answered ${failed.message}; look at FACTORY_SESSION_POOL and at the pool's image`);
    return {
      allocate: (call) => patiently(call, times.allocate, notGiven),
      repeat: (call) => patiently(call, times.unreachable, lost),
      once: (call) =>
        send(identifier, call).catch((error: unknown) => {
          throw error instanceof CallFailed ? lost(error) : error;
        }),
      async end() {
        const stop: Call = {
          method: 'POST',
          path: '/.management/stopSession',
          query: { 'api-version': STOP_API_VERSION },
        };
        // 404: it is gone already.
        await patiently(stop, times.unreachable, lost).catch(() => undefined);
      },
    };
  };
}

async function bounded(response: Response, most: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > most)
      throw new SandboxRefusal('SANDBOX-ANSWER-REFUSED', `a session answered with more than ${most} bytes`, {
        limit: most,
      });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function unavailable(why: string, cause?: unknown): SandboxRefusal {
  return new SandboxRefusal('SANDBOX-UNAVAILABLE', `the session pool can't be used: ${why}`, { cause });
}
