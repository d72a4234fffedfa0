import { z } from 'zod';
import type { Outcome } from '../../../shared/domain/job/outcome.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import type { Risk } from '../../../shared/domain/risk/tier.ts';
import { cursorId, foreignCursor, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { approvalsOfRequest } from '../../../shared/store/approvals/read.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { effectsOfRequest } from '../../../shared/store/effects/read.ts';
import { evidenceOf, plansOf, verificationsOf } from '../../../shared/store/evidence/records.ts';
import { jobOutputs } from '../../../shared/store/jobs/artifacts.ts';
import { listJobs } from '../../../shared/store/jobs/read.ts';
import { jobsAhead } from '../../../shared/store/jobs/waiting.ts';
import { readNodes } from '../../../shared/store/nodes/read.ts';
import { readPlane } from '../../../shared/store/platform/plane.ts';
import { approvalSummary, summaryOfApproval } from './approval-view.ts';
import { iso, isoOrNull, recorded } from './render.ts';
import { permittedRequest } from './request-access.ts';
import { ok, route } from './route.ts';

const readAccess = { kind: 'policy', action: 'readRequest', by: 'route' } as const;
const artifactLink = (digest: string): string => `/api/v1/artifacts/${digest}`;

const plan = route({
  method: 'GET',
  path: '/requests/{request}/plan',
  name: 'requests-plan',
  summary: 'The current plan: the artifact itself.',
  access: readAccess,
  answers: { 200: 'The plan (application/json)', 404: 'There is none yet' },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const latest = (
      await call.plane.store.read('plans.list', () => rows(plansOf({ tenant: row.tenant_id, request: row.id })))
    ).at(-1);
    if (latest === undefined) throw notFound(`The plan of request ${row.id}`);
    return {
      status: 200,
      body: await call.plane.artifacts.open(latest.digest),
      headers: { 'content-type': 'application/json', etag: `"${latest.digest}"` },
    };
  },
});

const node = z.object({
  name: z.string(),
  round: z.int(),
  kind: z.string(),
  pool: z.string().nullable(),
  state: z.string(),
  verdict: z.string().nullable(),
  summary: z.string().nullable(),
  risk: z.string().nullable(),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
});

const nodes = route({
  method: 'GET',
  path: '/requests/{request}/nodes',
  name: 'requests-nodes',
  summary: "The steps of the request's blueprint, in its order, each with its rounds.",
  access: readAccess,
  query: z.strictObject(pageQuery),
  answers: { 200: page(node) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const { limit, cursor } = call.query;
    const after = cursor === undefined ? [null, null] : cursorOf(cursor);
    const found = await call.plane.store.read('nodes.list', () =>
      rows(
        readNodes({
          tenant: row.tenant_id,
          request: row.id,
          afterOrdinal: after[0] ?? null,
          afterRound: after[1] ?? null,
          limit: limit + 1,
        }),
      ),
    );
    return ok(
      pageOf(
        found,
        limit,
        (one) => `${one.ordinal}.${one.round}`,
        (one) => ({
          name: one.name,
          round: one.round,
          kind: one.kind,
          pool: one.pool,
          state: one.state,
          verdict: one.verdict,
          summary: recorded<Outcome>(one.outcome)?.summary?.slice(0, 300) ?? null,
          risk: recorded<Risk>(one.risk)?.tier ?? null,
          startedAt: isoOrNull(one.started_at),
          endedAt: isoOrNull(one.ended_at),
        }),
      ),
    );
  },
});

function cursorOf(cursor: string): [number, number] {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(cursor);
  if (match === null) throw foreignCursor();
  return [Number(match[1]), Number(match[2])];
}

const job = z.object({
  id: z.string(),
  node: z.string(),
  round: z.int(),
  pool: z.string(),
  task: z.string(),
  state: z.string(),
  attempt: z.int(),
  epoch: z.int(),
  owner: z.string().nullable(),
  verdict: z.string().nullable(),
  failure: z.record(z.string(), z.unknown()).nullable(),
  queuedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** What a queued job waits for: a free worker, with how many due jobs of its pool before it, or its time after a failure. */
  waiting: z
    .union([
      z.object({ for: z.literal('worker'), ahead: z.int() }),
      z.object({ for: z.literal('time'), until: z.iso.datetime() }),
    ])
    .nullable(),
  outputs: z.array(
    z.object({ name: z.string(), kind: z.string(), digest: z.string(), size: z.int(), link: z.string() }),
  ),
});

const jobs = route({
  method: 'GET',
  path: '/requests/{request}/jobs',
  name: 'requests-jobs',
  summary: "The request's jobs, oldest first, with what they put out.",
  access: readAccess,
  query: z.strictObject(pageQuery),
  answers: { 200: page(job) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const { limit, cursor } = call.query;
    const after = cursorId('job', cursor);
    const found = await call.plane.store.read('jobs.list', function* () {
      const list = yield* rows(listJobs({ tenant: row.tenant_id, request: row.id, after, limit: limit + 1 }));
      const made = [];
      const ahead = new Map<string, number>();
      const now = (yield* one(readPlane({})))?.now ?? 0;
      for (const { state, not_before: due, pool, priority } of list.slice(0, limit)) {
        if (state !== 'queued' || due > now || ahead.has(pool)) continue;
        const before = yield* one(jobsAhead({ tenant: row.tenant_id, pool, priority, request: row.id }));
        ahead.set(pool, before?.ahead ?? 0);
      }
      for (const { id } of list.slice(0, limit))
        made.push(
          ...(yield* rows(jobOutputs({ tenant: row.tenant_id, job: id }))).map((output) => ({
            ...output,
            job: id,
          })),
        );
      return { list, made, ahead, now };
    });
    return ok(
      pageOf(
        found.list,
        limit,
        (one) => one.id,
        (one) => ({
          id: one.id,
          node: one.node,
          round: one.round,
          pool: one.pool,
          task: one.task,
          state: one.state,
          attempt: one.attempt,
          epoch: one.lease_epoch,
          owner: one.lease_owner,
          verdict: one.verdict,
          failure: recorded<Record<string, unknown>>(one.failure),
          queuedAt: iso(one.queued_at),
          endedAt: isoOrNull(one.ended_at),
          waiting: waitingOf(one, found.now, found.ahead.get(one.pool) ?? 0),
          outputs: found.made
            .filter((output) => output.job === one.id && output.epoch === one.lease_epoch)
            .map(({ name, kind, digest, size }) => ({ name, kind, digest, size, link: artifactLink(digest) })),
        }),
      ),
    );
  },
});

function waitingOf(
  { state, not_before: due }: { readonly state: string; readonly not_before: number },
  now: number,
  ahead: number,
): z.infer<typeof job>['waiting'] {
  if (state !== 'queued') return null;
  return due > now ? { for: 'time', until: iso(due) } : { for: 'worker', ahead };
}

const approvals = route({
  method: 'GET',
  path: '/requests/{request}/approvals',
  name: 'requests-approvals',
  summary: "The request's approvals, oldest first.",
  access: readAccess,
  answers: { 200: page(approvalSummary) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const found = await call.plane.store.read('approvals.ofRequest', () =>
      rows(approvalsOfRequest({ tenant: row.tenant_id, request: row.id })),
    );
    return ok({ items: found.slice(-100).map(summaryOfApproval) });
  },
});

const effect = z.object({
  id: z.string(),
  kind: z.string(),
  ordinal: z.int(),
  target: z.string(),
  state: z.string(),
  tree: z.string(),
  approval: z.string().nullable(),
  observed: z.string().nullable(),
  rollback: z.string(),
  intendedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});

const effects = route({
  method: 'GET',
  path: '/requests/{request}/effects',
  name: 'requests-effects',
  summary: 'What was changed in real systems for this request, and how each change is undone.',
  access: readAccess,
  answers: { 200: page(effect) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const found = await call.plane.store.read('effects.ofRequest', () =>
      rows(effectsOfRequest({ tenant: row.tenant_id, request: row.id })),
    );
    return ok({
      items: found.slice(0, 100).map((one) => ({
        id: one.id,
        kind: one.kind,
        ordinal: one.ordinal,
        target: one.target,
        state: one.state,
        tree: one.tree,
        approval: one.approval_id,
        observed: one.observed,
        rollback: one.rollback,
        intendedAt: iso(one.intended_at),
        endedAt: isoOrNull(one.ended_at),
      })),
    });
  },
});

const reference = z.object({ digest: z.string(), link: z.string(), createdAt: z.iso.datetime() });

const evidence = route({
  method: 'GET',
  path: '/requests/{request}/evidence',
  name: 'requests-evidence',
  summary: 'References to the sealed evidence, plans and receipts of the request.',
  access: readAccess,
  answers: {
    200: z.object({
      bundle: z.string().nullable(),
      sealed: z.array(reference.extend({ kind: z.string(), signedBy: z.string() })),
      plans: z.array(reference.extend({ job: z.string() })),
      receipts: z.array(
        reference.extend({ result: z.string(), tree: z.string().nullable(), claims: z.string(), verifier: z.string() }),
      ),
    }),
  },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const of = { tenant: row.tenant_id, request: row.id };
    const found = await call.plane.store.read('requests.evidence', function* () {
      return {
        sealed: yield* rows(evidenceOf(of)),
        plans: yield* rows(plansOf(of)),
        receipts: yield* rows(verificationsOf(of)),
      };
    });
    const refer = (digest: string, at: number): z.infer<typeof reference> => ({
      digest,
      link: artifactLink(digest),
      createdAt: iso(at),
    });
    return ok({
      bundle: row.evidence_digest,
      sealed: found.sealed
        .slice(-100)
        .map((one) => ({ ...refer(one.digest, one.created_at), kind: one.kind, signedBy: one.signed_by })),
      plans: found.plans.slice(-100).map((one) => ({ ...refer(one.digest, one.created_at), job: one.job_id })),
      receipts: found.receipts.slice(-100).map((one) => ({
        ...refer(one.artifact_digest, one.created_at),
        result: one.result,
        tree: one.tree,
        claims: one.claims_digest,
        verifier: one.principal_id,
      })),
    });
  },
});

export const requestPartRoutes = [plan, nodes, jobs, approvals, effects, evidence];
