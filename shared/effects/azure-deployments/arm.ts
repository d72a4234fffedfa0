import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../domain/limits.ts';
import { ArmFailed } from './arm-failed.ts';
import { type ArmCall, type ArmCredential, type ArmSend, armTransport } from './arm-transport.ts';

/** What is asked of Azure Resource Manager. */
export type ArmRequest = Omit<ArmCall, 'url'> & {
  /** From the endpoint on, each part encoded. */
  readonly path: string;
  readonly apiVersion: string;
};

/** Azure Resource Manager, as far as deployments need it. */
export type Arm = {
  /**
   * For what changes nothing: repeated a few times while the service is away or asks to wait, and followed to its end when the service
   * goes on by itself (202 with a Location).
   *
   * @throws ArmFailed; the signal's reason when that fired.
   */
  read(request: ArmRequest, signal: AbortSignal): Promise<unknown>;
  /** Sent once, and not followed: whoever sent it looks. @throws ArmFailed; the signal's reason when that fired. */
  begin(request: ArmRequest, signal: AbortSignal): Promise<void>;
};

/** Bounds of an ask: bytes of an answer, milliseconds, calls in all, and repeats of one that failed. */
export type ArmBounds = Readonly<
  Record<'answerBytes' | 'askMs' | 'callMs' | 'calls' | 'repeats' | 'pauseMs' | 'pollMs', number>
>;

/**
 * Azure Resource Manager at this address, asked in the name of a credential whose tokens are for it (`<address>/.default`). Its published
 * clients are not used: the one of the stacks is of an old core with a tree of its own, both poll without an end that a caller could set,
 * and follow wherever an answer leads.
 */
export function armAt(endpoint: string, credential: ArmCredential, bounds: ArmBounds = LIMITS.deployment): Arm {
  const { origin } = new URL(endpoint);
  const send = armTransport(origin, credential, bounds.answerBytes);
  return {
    async read(request, signal) {
      const ask = new Ask(request.what, bounds, signal);
      let call: ArmCall = { ...request, url: addressOf(origin, request) };
      for (;;) {
        const answer = await ask.patiently(send, call);
        if (answer.status !== 202) return answer.body;
        if (answer.location === undefined)
          throw new ArmFailed(
            'passing',
            `${request.what}: Azure began to answer (202) and did not say where it goes on`,
          );
        call = { what: request.what, method: 'GET', url: within(origin, answer.location, request.what) };
        await ask.pause(answer.afterMs || bounds.pollMs);
      }
    },
    async begin(request, signal) {
      await new Ask(request.what, bounds, signal).once(send, { ...request, url: addressOf(origin, request) });
    },
  };
}

function addressOf(origin: string, { path, apiVersion }: ArmRequest): URL {
  const url = new URL(path, origin);
  url.searchParams.set('api-version', apiVersion);
  return url;
}

/** The token goes with every call: it is never taken to another place than the one it is for. */
function within(origin: string, location: string, what: string): URL {
  const url = URL.canParse(location, origin) ? new URL(location, origin) : undefined;
  if (url?.origin === origin) return url;
  throw new ArmFailed('passing', `${what}: the answer goes on at another host than ${origin}, which is not asked`);
}

/** One ask: however many calls it takes, it ends within its time. */
class Ask {
  readonly #what: string;
  readonly #bounds: ArmBounds;
  readonly #signal: AbortSignal;
  readonly #until: number;
  #calls = 0;
  constructor(what: string, bounds: ArmBounds, signal: AbortSignal) {
    this.#what = what;
    this.#bounds = bounds;
    this.#signal = signal;
    this.#until = performance.now() + bounds.askMs;
  }

  async once(send: ArmSend, call: ArmCall): ReturnType<ArmSend> {
    this.#signal.throwIfAborted();
    const left = this.#until - performance.now();
    this.#calls += 1;
    if (left <= 0 || this.#calls > this.#bounds.calls)
      throw new ArmFailed(
        'passing',
        `${this.#what}: no end of it within ${this.#bounds.askMs} ms and ${this.#bounds.calls} calls`,
      );
    return await send(call, Math.min(left, this.#bounds.callMs), this.#signal);
  }

  async patiently(send: ArmSend, call: ArmCall): ReturnType<ArmSend> {
    for (let failed = 1; ; failed += 1)
      try {
        return await this.once(send, call);
      } catch (error) {
        if (!(error instanceof ArmFailed) || error.fault !== 'passing' || failed > this.#bounds.repeats) throw error;
        const wait = Math.max(error.afterMs, this.#bounds.pauseMs * 2 ** (failed - 1));
        // What is asked to come back later than this ask lasts is left to the next attempt of the job.
        if (performance.now() + wait >= this.#until) throw error;
        await this.pause(wait);
      }
  }

  async pause(forMs: number): Promise<void> {
    const wait = Math.min(forMs, Math.max(0, this.#until - performance.now()));
    await sleep(wait, undefined, { signal: this.#signal }).catch((error: unknown) => {
      this.#signal.throwIfAborted();
      throw error;
    });
  }
}
