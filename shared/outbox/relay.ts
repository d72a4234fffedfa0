import type { Pool } from '../domain/blueprint/schema.ts';
import { LIMITS } from '../domain/limits.ts';
import { crossing } from '../telemetry/crash-point.ts';
import { tracedDelivery } from './delivery-span.ts';
import type { OutboxBody, OutboxEntry } from './entry.ts';

/** Where entries go. Each call may be repeated for the same entry; the receivers take that. */
export type Delivery = {
  /** Sends hints to a pool's queue; the message id is the entry's id. */
  hints(pool: Pool, entries: readonly OutboxEntry[]): Promise<void>;
  /** Starts an orchestrator's instance; one that runs already is success. */
  start(body: OutboxBody & { kind: 'start' }): Promise<void>;
  /** Wakes an instance; to an absent one this becomes a start, to an ended one it is done. */
  nudge(body: OutboxBody & { kind: 'nudge' }): Promise<void>;
  /** Builds, signs and records evidence. */
  seal(body: OutboxBody & { kind: 'seal' }): Promise<void>;
};

export type RelayLedger = {
  delivered(ids: readonly string[]): Promise<void>;
  /** Gives entries back for a later try, with the error in words; after `LIMITS.outbox.attempts` they are dead and counted. */
  failed(entries: readonly { id: string; attempts: number }[], error: string): Promise<void>;
};

export type Relay = {
  /** Hands over entries that this process committed; answers when they are sent, or after `LIMITS.outbox.drainMs` at the latest. */
  drain(entries: readonly OutboxEntry[]): Promise<void>;
  /** Delivers entries and answers when every one is settled: sent and gone from the outbox, or given back to it. */
  settle(entries: readonly OutboxEntry[]): Promise<void>;
  statistics(): { delivered: number; failed: number };
};

/** The relay of a process, to be flushed before its store is closed: takes what was sent so far off the outbox now. */
export type ProcessRelay = Relay & { flush(): Promise<void> };

type Waiting = { readonly entry: OutboxEntry; readonly until: 'sent' | 'settled'; readonly answer: () => void };

/**
 * How long rows that were sent may stay in the outbox, so that many go with one commit. Far below the claim of their sender: only a
 * crash within it sends them again, which every receiver takes. At 20 ms a workflow that ran alone still paid four commits for it.
 */
const REMOVE_AFTER_MS = 1_000;

/** A start that comes late, after a crash or an outage, may find the request elsewhere: its instance asks first. */
function fresh(body: OutboxBody & { kind: 'start' }, attempts: number): OutboxBody & { kind: 'start' } {
  if (attempts === 0) return body;
  const { wakeAt: _past, ...start } = body;
  return start;
}

/**
 * Delivers in micro-batches: what arrives within a tick goes out together, a batch message a pool. Two batches may be under
 * way at once, so that a slow receiver does not hold up the others. Who waits for a delivery does not wait for its row's removal: that
 * was a commit of its own for each, five of the twenty of a governed workflow.
 */
export function createRelay(delivery: Delivery, ledger: RelayLedger, report: (error: unknown) => void): ProcessRelay {
  const waiting: Waiting[] = [];
  let lanes = 0;
  let delivered = 0;
  let failed = 0;
  let sent: Waiting[] = [];
  let removal: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    clearTimeout(removal);
    removal = undefined;
    if (sent.length === 0) return;
    const rows = sent;
    sent = [];
    await ledger.delivered(rows.map(({ entry }) => entry.id)).catch(report);
    for (const { until, answer } of rows) if (until === 'settled') answer();
  };

  /** Sends entries; answers the ids of those that went out. The others were given back. */
  const deliver = async (entries: readonly OutboxEntry[]): Promise<ReadonlySet<string>> => {
    const done = new Set<string>();
    const attempt = async (batch: readonly OutboxEntry[], send: () => Promise<void>): Promise<void> => {
      try {
        await tracedDelivery(batch, send);
        for (const entry of batch) done.add(entry.id);
      } catch (error) {
        failed += batch.length;
        await ledger.failed(batch, error instanceof Error ? error.message : String(error)).catch(report);
      }
    };
    const hints = new Map<Pool, OutboxEntry[]>();
    const sends: Promise<void>[] = [];
    for (const entry of entries) {
      const { body } = entry;
      switch (body.kind) {
        case 'hint': {
          const list = hints.get(body.pool) ?? [];
          list.push(entry);
          hints.set(body.pool, list);
          break;
        }
        case 'start':
          sends.push(
            attempt([entry], () => crossing('outbox.start', () => delivery.start(fresh(body, entry.attempts)))),
          );
          break;
        case 'nudge':
          sends.push(attempt([entry], () => crossing('outbox.nudge', () => delivery.nudge(body))));
          break;
        case 'seal':
          sends.push(attempt([entry], () => crossing('outbox.seal', () => delivery.seal(body))));
          break;
      }
    }
    for (const [pool, list] of hints)
      sends.push(attempt(list, () => crossing('outbox.send', () => delivery.hints(pool, list))));
    await Promise.all(sends);
    delivered += done.size;
    return done;
  };

  const pump = async (): Promise<void> => {
    if (lanes >= 2) return;
    lanes += 1;
    try {
      await new Promise((resolve) => setImmediate(resolve));
      while (waiting.length > 0) {
        const batch = waiting.splice(0, LIMITS.outbox.batch);
        const done = await deliver(batch.map((item) => item.entry));
        for (const item of batch) {
          const gone = done.has(item.entry.id);
          if (gone) sent.push(item);
          if (!gone || item.until === 'sent') item.answer();
        }
        if (sent.length >= LIMITS.outbox.batch || batch.some((item) => item.until === 'settled')) void flush();
        else removal ??= setTimeout(() => void flush(), REMOVE_AFTER_MS);
      }
    } finally {
      lanes -= 1;
    }
  };

  const hand = (entries: readonly OutboxEntry[], until: 'sent' | 'settled'): Promise<unknown> => {
    const all = entries.map(
      (entry) =>
        new Promise<void>((resolve) => {
          waiting.push({ entry, until, answer: resolve });
        }),
    );
    void pump();
    return Promise.all(all);
  };

  return {
    flush,
    async settle(entries) {
      if (entries.length > 0) await hand(entries, 'settled');
    },
    async drain(entries) {
      if (entries.length === 0) return;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LIMITS.outbox.drainMs);
      });
      await Promise.race([hand(entries, 'sent'), patience]);
      clearTimeout(timer);
    },
    statistics: () => ({ delivered, failed }),
  };
}
