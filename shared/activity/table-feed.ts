import { randomBytes } from 'node:crypto';
import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { z } from 'zod';
import type { RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { ACTIVITY_TEXT, type ActivityEntry, type ActivityFeed, type ActivityStream } from './activity.ts';

/** Entries under way to the service; beyond it they are dropped. */
const WAITING = 1_000;
/** The largest time a date can hold (ECMA-262 §21.4.1.1): taken from it, later times sort first. */
const LATEST = 8_640_000_000_000_000;
const COUNTED = 1_000_000_000;
/** Entries older than this are removed, some at a time, by whoever appends. */
const KEPT_MS = 30 * 24 * 60 * 60_000;
/** A process looks for old entries of a partition at its first entry and then at each of this many. */
const TRIM_EVERY = 256;
/** Entities one transaction of the service takes. */
const TRIMMED_AT_ONCE = 100;
const STREAMS = 10_000;
const PER_TRIM = 10;

const entity = z.object({ at: z.coerce.number(), what: z.string(), request: z.string().optional(), text: z.string() });

/**
 * The table driver: a partition an application (and one for the tenant), the newest entry first, so that the newest are one page from the front. The table exists already
 * (the templates make it); the identity needs to write and read entities only.
 */
export function openTableFeed(table: TableClient): ActivityFeed {
  const writer = randomBytes(4).toString('hex');
  let entries = 0;
  let waiting = 0;
  const appended = new Map<ActivityStream, number>();

  /** Within a millisecond the later entry of one process sorts first as well. */
  function rowKey(at: number): string {
    entries = (entries + 1) % COUNTED;
    return `${upsideDown(at)}-${String(COUNTED - entries).padStart(10, '0')}-${writer}`;
  }

  /** Removes up to some thousand entries that are too old; what is left comes at the next time. */
  async function trim(stream: ActivityStream, now: number): Promise<void> {
    const old = table.listEntities({
      queryOptions: {
        filter: odata`PartitionKey eq ${stream} and RowKey gt ${upsideDown(now - KEPT_MS)}`,
        select: ['partitionKey', 'rowKey'],
      },
    });
    let pages = 0;
    for await (const page of old.byPage({ maxPageSize: TRIMMED_AT_ONCE })) {
      const removals = page.map(
        ({ partitionKey, rowKey: key }): TransactionAction => [
          'delete',
          { partitionKey: partitionKey ?? '', rowKey: key ?? '' },
        ],
      );
      if (removals.length > 0) await table.submitTransaction(removals);
      if (++pages >= PER_TRIM) return;
    }
  }

  function trimNowAndThen(stream: ActivityStream, now: number): void {
    if (appended.size >= STREAMS && !appended.has(stream)) appended.clear();
    const count = appended.get(stream) ?? 0;
    appended.set(stream, count + 1);
    // Best effort, as all of the feed: two processes that remove the same entries leave one of them with an error, and no harm.
    if (count % TRIM_EVERY === 0) trim(stream, now).catch(() => undefined);
  }

  return {
    async append(stream, entry) {
      if (waiting >= WAITING) return false;
      waiting++;
      try {
        await table.createEntity({
          partitionKey: stream,
          rowKey: rowKey(entry.at),
          at: entry.at,
          what: entry.what.slice(0, 100),
          ...(entry.request === null ? {} : { request: entry.request }),
          text: entry.text.slice(0, ACTIVITY_TEXT),
        });
        trimNowAndThen(stream, Date.now());
        return true;
      } catch {
        return false;
      } finally {
        waiting--;
      }
    },
    async latest(stream, count) {
      const wanted = Math.min(Math.max(count, 0), LIMITS.http.pageItems);
      if (wanted === 0) return [];
      const pages = table
        .listEntities({ queryOptions: { filter: odata`PartitionKey eq ${stream}` } })
        .byPage({ maxPageSize: wanted });
      const newest: ActivityEntry[] = [];
      // A page may be short, or empty, and still be followed by another.
      for await (const page of pages) {
        for (const found of page) newest.push(...parsed(found));
        if (newest.length >= wanted) break;
      }
      return newest.slice(0, wanted).reverse();
    },
  };
}

const upsideDown = (at: number): string => String(LATEST - Math.max(0, Math.floor(at))).padStart(16, '0');

/** An entity that is not an entry is passed over. */
function parsed(found: unknown): ActivityEntry[] {
  const read = entity.safeParse(found);
  if (!read.success) return [];
  const { at, what, text, request } = read.data;
  return [{ at, what, text, request: (request ?? null) as RequestId | null }];
}
