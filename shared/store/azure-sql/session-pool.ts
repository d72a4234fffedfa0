import type { SqlSession } from './session.ts';

export type SessionPool = {
  /** A session for one command, made when none is free. Throws `PoolExhausted`, or the error of connecting. */
  take(): Promise<SqlSession>;
  /** Gives a session back; one that broke, or that may hold a transaction (`spoilt`), is closed. */
  give(session: SqlSession, spoilt?: boolean): void;
  /** Closes what is free now and the rest when it comes back; who waits is refused. */
  close(): void;
};

/** All sessions are in use: more commands wait than are taken on, or one waited too long. */
export class PoolExhausted extends Error {
  override readonly name = 'PoolExhausted';
}

export type PoolLimits = {
  /** Sessions of this process. The database's limit holds for all processes together. */
  readonly sessions: number;
  /** Commands that may wait for a session. */
  readonly waiting: number;
  readonly waitMs: number;
  /** A session unused for this long is closed when the next one is taken: the service drops idle connections after 30 minutes. */
  readonly idleMs: number;
};

type Waiter = {
  readonly resolve: (session: SqlSession) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
};
type Idle = { readonly session: SqlSession; readonly since: number };

/** Sessions are handed out last in, first out, so that in quiet times the others grow idle and go. */
export function createSessionPool(
  open: () => Promise<SqlSession>,
  limits: PoolLimits,
  now: () => number = Date.now,
): SessionPool {
  const idle: Idle[] = [];
  const waiters: Waiter[] = [];
  let made = 0;
  let closed = false;

  function discard(session: SqlSession): void {
    made--;
    session.close();
  }

  async function make(): Promise<SqlSession> {
    made++;
    try {
      return await open();
    } catch (error) {
      made--;
      openForNext();
      throw error;
    }
  }

  /** Whoever waits gets the place that came free. */
  function openForNext(): void {
    if (made >= limits.sessions) return;
    const next = waiters.shift();
    if (next === undefined) return;
    clearTimeout(next.timer);
    make().then(next.resolve, next.reject);
  }

  function wait(): Promise<SqlSession> {
    if (waiters.length >= limits.waiting)
      return Promise.reject(new PoolExhausted(`${limits.waiting} commands wait for a connection already`));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.splice(waiters.indexOf(waiter), 1);
        reject(new PoolExhausted(`no connection came free within ${limits.waitMs} ms`));
      }, limits.waitMs);
      const waiter: Waiter = { resolve, reject, timer };
      waiters.push(waiter);
    });
  }

  function dropIdle(): void {
    while (idle[0] !== undefined && idle[0].since < now() - limits.idleMs) {
      const { session } = idle[0];
      idle.shift();
      discard(session);
    }
  }

  return {
    async take() {
      if (closed) throw new PoolExhausted('the store is closed');
      dropIdle();
      for (let free = idle.pop(); free !== undefined; free = idle.pop()) {
        if (free.session.usable()) return free.session;
        discard(free.session);
      }
      return made < limits.sessions ? make() : wait();
    },
    give(session, spoilt = false) {
      if (closed || spoilt || !session.usable()) {
        discard(session);
        if (!closed) openForNext();
        return;
      }
      const next = waiters.shift();
      if (next === undefined) {
        idle.push({ session, since: now() });
        return;
      }
      clearTimeout(next.timer);
      next.resolve(session);
    },
    close() {
      closed = true;
      for (const { session } of idle.splice(0)) discard(session);
      for (const waiter of waiters.splice(0)) {
        clearTimeout(waiter.timer);
        waiter.reject(new PoolExhausted('the store is closed'));
      }
    },
  };
}
