import { z } from 'zod';
import { POOLS } from '../../../shared/domain/blueprint/schema.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { leasedJobsOfPool } from '../../../shared/store/jobs/candidate.ts';
import { queuedByPool } from '../../../shared/store/jobs/waiting.ts';
import { countOutboxByState } from '../../../shared/store/platform/outbox.ts';
import { readPlane } from '../../../shared/store/platform/plane.ts';
import { iso, isoOrNull } from './render.ts';
import { ok, route } from './route.ts';

const status = route({
  method: 'GET',
  path: '/status',
  name: 'status',
  summary: 'How the plane is doing: outbox, pools, heartbeat, store.',
  access: { kind: 'policy', action: 'administer', by: 'route' },
  answers: {
    200: z.object({
      incarnation: z.string(),
      heartbeatAt: z.iso.datetime(),
      outbox: z.array(z.object({ state: z.string(), rows: z.int(), oldestMs: z.int() })),
      pools: z.array(
        z.object({
          pool: z.string(),
          leased: z.int(),
          /** Jobs that wait for a worker, and for how long the first of them has. */
          due: z.int(),
          oldestQueuedMs: z.int().nullable(),
          /** Jobs that wait for their time, after a failure for instance, and when the next one may be claimed. */
          later: z.int(),
          nextDueAt: z.iso.datetime().nullable(),
        }),
      ),
      store: z.record(z.string(), z.unknown()),
      relay: z.record(z.string(), z.int()),
    }),
  },
  async handle(call) {
    const { plane } = call;
    const { tenant } = plane;
    await call.permit('administer', null, { id: tenant, tenant }, 'the plane');
    const found = await plane.store.read('status', function* () {
      const row = yield* one(readPlane({}));
      const outbox = yield* rows(countOutboxByState({}));
      const queued = yield* rows(queuedByPool({ tenant }));
      const pools = [];
      for (const pool of POOLS) {
        const leased =
          (yield* one(leasedJobsOfPool({ tenant, pool, limit: LIMITS.job.concurrentPerPool })))?.leased ?? 0;
        pools.push({ pool, leased, queued: queued.find((each) => each.pool === pool) });
      }
      return { row, outbox, pools };
    });
    const now = found.row?.now ?? Date.now();
    return ok({
      incarnation: plane.context.incarnation,
      heartbeatAt: iso(found.row?.heartbeat_at ?? 0),
      outbox: found.outbox.map((one) => ({
        state: one.state,
        rows: one.rows,
        oldestMs: Math.max(0, now - one.oldest),
      })),
      pools: found.pools.map(({ pool, leased, queued }) => ({
        pool,
        leased,
        due: queued?.due ?? 0,
        oldestQueuedMs: queued?.due_since == null ? null : Math.max(0, now - queued.due_since),
        later: queued?.later ?? 0,
        nextDueAt: isoOrNull(queued?.next_due ?? null),
      })),
      store: { dialect: plane.store.dialect, ...plane.store.statistics() },
      relay: plane.relay.statistics(),
    });
  },
});

const me = route({
  method: 'GET',
  path: '/me',
  name: 'me',
  summary: 'Who the caller is to the plane: principal, roles.',
  access: { kind: 'self' },
  answers: {
    200: z.object({
      principal: z.string(),
      kind: z.string(),
      name: z.string(),
      roles: z.array(z.string()),
      /** Roles for one application only, by its id. */
      applicationRoles: z.record(z.string(), z.array(z.string())),
      tenant: z.string(),
    }),
  },
  handle: async ({ plane, actor }) =>
    ok({
      principal: actor.principal,
      kind: actor.kind,
      name: actor.name,
      roles: actor.roles,
      applicationRoles: Object.fromEntries(actor.applicationRoles ?? []),
      tenant: plane.tenant,
    }),
});

const reconciling = route({
  method: 'POST',
  path: '/reconcile',
  name: 'reconcile',
  summary:
    'After an outage: revives outbox rows that were given up, and looks up the orchestrator of every open request.',
  access: { kind: 'policy', action: 'administer', by: 'route' },
  commits: true,
  answers: { 200: z.object({ revived: z.int(), looked: z.int(), reruns: z.int() }) },
  async handle(call) {
    const { plane, actor } = call;
    await call.permit('administer', null, { id: plane.tenant, tenant: plane.tenant }, 'the plane');
    return ok(await plane.reconcile(actor));
  },
});

export const statusRoutes = [status, reconciling, me];
