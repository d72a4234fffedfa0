import { ServiceBusClient } from '@azure/service-bus';
import { readManagement } from '../../../local/functions-host/admin/management-file.ts';
import { POOLS } from '../../../shared/domain/blueprint/schema.ts';
import { look } from '../plane/database.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { until } from '../wait.ts';

/** Queues empty by themselves once requests have ended: a hint that is locked by a dead worker is free after a minute. */
const DRAIN_LIMIT_MS = 180_000;
const MOST = 250;

/** What the plane's own tables hold of work that is not done; nothing of it once every request has ended. */
const TABLES: Readonly<Record<string, string>> = {
  'outbox rows': 'select count(*) as n from outbox',
  'queued jobs': "select count(*) as n from jobs where state in ('queued', 'failed')",
  leases: "select count(*) as n from jobs where state = 'leased'",
  'open attempts': 'select count(*) as n from job_attempts where ended_at is null',
  'open approvals': "select count(*) as n from approvals where state = 'open'",
  'open effects': "select count(*) as n from effects where state in ('intended', 'started', 'completed')",
};

export type Standing = ReadonlyMap<string, number>;

/** Waits until no queue of a plane whose requests have ended holds anything; answers what was still standing at the limit. */
export async function untilDrained(plane: TorturePlane): Promise<Standing> {
  let standing: Standing = new Map();
  const drained = async (): Promise<true | undefined> => {
    standing = await standingOf(plane);
    return standing.size === 0 ? true : undefined;
  };
  await until('that every queue is empty', DRAIN_LIMIT_MS, drained, 1_000).catch(() => undefined);
  return standing;
}

async function standingOf(plane: TorturePlane): Promise<Standing> {
  const counts = Object.entries(TABLES).map(
    ([name, sql]) => [name, Number(look(plane.database, sql)[0]?.['n'] ?? 0)] as const,
  );
  const all = [...counts, ...(await hints(plane)), ['orchestrators', await orchestrators(plane)] as const];
  return new Map(all.filter(([, count]) => count > 0));
}

/** Messages of each queue and its dead letters, by peeking: nothing is taken away. */
async function hints(plane: TorturePlane): Promise<(readonly [string, number])[]> {
  const client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${plane.addresses.brokerPort};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`,
  );
  try {
    const counts: (readonly [string, number])[] = [];
    for (const pool of POOLS) {
      counts.push([`hints of ${pool}`, (await client.createReceiver(pool).peekMessages(MOST)).length]);
      const dead = await client.createReceiver(pool, { subQueueType: 'deadLetter' }).peekMessages(MOST);
      counts.push([`dead letters of ${pool}`, dead.length]);
    }
    return counts;
  } finally {
    await client.close();
  }
}

async function orchestrators(plane: TorturePlane): Promise<number> {
  const { url, key } = readManagement(plane.layout.host('control'));
  const answer = await fetch(
    `${url}/runtime/webhooks/durabletask/instances?runtimeStatus=Running,Pending&top=${MOST}`,
    { headers: { 'x-functions-key': key }, signal: AbortSignal.timeout(10_000) },
  );
  return ((await answer.json()) as unknown[]).length;
}
