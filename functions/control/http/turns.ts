import { LIMITS } from '../../../shared/domain/limits.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';

/** A call's leave to work. */
export type Turn = {
  /** Does what takes no work of ours, as waiting for a change or for a body, and comes back for another turn after it. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
  /** The work is done. */
  end(): void;
};

export type Turns = {
  /**
   * Waits for a turn. Refuses with 429 `FACTORY-TOO-MANY-CALLS` when the principal has `LIMITS.http.callsPerPrincipal` open already;
   * vital calls are counted apart.
   */
  enter(principal: string, vital: boolean): Promise<Turn>;
};

type Line = Map<string, (() => void)[]>;

/**
 * Lets `atOnce` calls work at once. The others wait in a line for each principal, and the principals take turns: one with a
 * thousand calls makes another with one wait for a single call. Vital calls go before all others.
 */
export function createTurns(atOnce: number = LIMITS.http.callsAtOnce): Turns {
  const open = new Map<string, number>();
  const vitals: Line = new Map();
  const others: Line = new Map();
  let working = 0;

  function start(principal: string, vital: boolean): Promise<void> {
    if (working < atOnce) {
      working += 1;
      return Promise.resolve();
    }
    const line = vital ? vitals : others;
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = line.get(principal);
    if (mine === undefined) line.set(principal, [resolve]);
    else mine.push(resolve);
    return promise;
  }

  function stop(): void {
    const next = take(vitals) ?? take(others);
    if (next === undefined) working -= 1;
    else next();
  }

  return {
    async enter(principal, vital) {
      const counted = vital ? `vital:${principal}` : principal;
      const mine = open.get(counted) ?? 0;
      if (mine >= LIMITS.http.callsPerPrincipal)
        throw new Refusal(
          429,
          'FACTORY-TOO-MANY-CALLS',
          `${mine} calls of this identity are open already, and one identity has no more here. Wait for their answers, then call again.`,
          { retryAfterSeconds: 1 },
        );
      open.set(counted, mine + 1);
      await start(principal, vital);
      let ended = false;
      return {
        async aside(wait) {
          stop();
          try {
            return await wait();
          } finally {
            await start(principal, vital);
          }
        },
        end() {
          if (ended) return;
          ended = true;
          stop();
          const left = (open.get(counted) ?? 1) - 1;
          if (left === 0) open.delete(counted);
          else open.set(counted, left);
        },
      };
    },
  };
}

/** The first call of the principal whose turn it is, who goes to the end of the line with what it has left. */
function take(line: Line): (() => void) | undefined {
  const [turn] = line;
  if (turn === undefined) return undefined;
  const [principal, calls] = turn;
  const first = calls.shift();
  line.delete(principal);
  if (calls.length > 0) line.set(principal, calls);
  return first;
}
