import { type BudgetUse, spentWords } from '../domain/cost/budget.ts';
import type { Failure } from '../domain/failure.ts';
import type { Outcome } from '../domain/job/outcome.ts';
import { approvalsOfRequest, decisionsOfRequest } from '../store/approvals/read.ts';
import { type Command, one, rows } from '../store/command.ts';
import { queuedNodeOfRequest } from '../store/jobs/queued-node.ts';
import { openJobsOfRequest } from '../store/jobs/read.ts';
import { nodesByName, openNodes } from '../store/nodes/read.ts';
import { readPlane } from '../store/platform/plane.ts';
import type { JobRow, NodeRow } from '../store/schema/rows.ts';
import { conditionNames } from './graph.ts';
import type { OpenRequest } from './open-request.ts';
import type { EndedNode, OpenApproval, OpenJob, Recorded } from './recorded.ts';
import type { Scope } from './scope.ts';

/** What the walk needs of a request, and the rows it was made from, for applying what the walk answers. */
export type Loaded = {
  readonly recorded: Recorded;
  readonly nodes: ReadonlyMap<string, NodeRow>;
  readonly jobs: ReadonlyMap<string, JobRow>;
};

export function* loadRecorded(scope: Scope, request: OpenRequest, spent: BudgetUse | undefined): Command<Loaded> {
  const { row, graph } = request;
  const tenant = row.tenant_id;
  const nodes = yield* rows(openNodes({ tenant, request: row.id }));
  const names = new Set<string>();
  for (const node of nodes) {
    const blueprint = graph.nodes.get(node.name);
    if (node.state === 'ready' && blueprint !== undefined)
      for (const name of conditionNames(blueprint, graph)) names.add(name);
  }
  const ended = new Map<string, EndedNode>();
  if (names.size > 0) {
    for (const node of yield* rows(nodesByName({ tenant, request: row.id, names: JSON.stringify([...names]) }))) {
      if (node.verdict === null) continue;
      const outcome = node.outcome === null ? undefined : (JSON.parse(node.outcome) as Outcome);
      ended.set(node.name, {
        verdict: node.verdict,
        summary: outcome?.summary ?? '',
        question: outcome?.question ?? null,
        unknowns: outcome?.unknowns ?? [],
      });
    }
  }
  const active = nodes.filter((node) => node.state === 'active');
  const jobRows = active.some((node) => node.kind === 'job' || node.kind === 'fan_out')
    ? yield* rows(openJobsOfRequest({ tenant, request: row.id }))
    : [];
  const lateLease = jobRows.some((job) => job.state === 'leased' && isOver(job, scope.now));
  const approvals = active.some((node) => node.kind === 'gate') ? yield* gateApprovals(request) : [];
  return {
    recorded: {
      now: scope.now,
      deadlineAt: row.deadline_at,
      planeWasAway: lateLease ? yield* wasAway(jobRows, scope.now) : false,
      nodes: nodes.map((node) => ({
        name: node.name,
        round: node.round,
        state: node.state === 'ready' ? 'ready' : 'active',
        equalSignatures: node.equal_signatures,
        lastSignature: node.last_signature,
        fanTotal: node.fan_total,
        fanDone: node.fan_done,
        sealed: node.sealed === 1,
      })),
      jobs: jobRows.map((job) => openJob(job, job.node)),
      approvals,
      ended,
      noBudget:
        spent === undefined
          ? null
          : {
              words: spentWords(spent),
              queued: (yield* one(queuedNodeOfRequest({ tenant, request: row.id }))) ?? null,
            },
    } satisfies Recorded,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    jobs: new Map(jobRows.map((job) => [job.id, job])),
  };
}

const isOver = (job: JobRow, now: number): boolean =>
  (job.lease_expires_at ?? 0) <= now || (job.timeout_at !== null && job.timeout_at <= now);

function openJob(job: JobRow, node: string): OpenJob {
  return {
    id: job.id,
    node,
    state: job.state,
    attempt: job.attempt,
    leaseExpiresAt: job.lease_expires_at,
    timeoutAt: job.timeout_at,
    renewed: job.renewed === 1,
    unrenewedExpiries: job.unrenewed_expiries,
    failure: job.failure === null ? null : (JSON.parse(job.failure) as Failure),
    signature: job.signature,
    verdict: job.verdict,
  };
}

function* gateApprovals(request: OpenRequest): Command<OpenApproval[]> {
  const approvals = yield* rows(approvalsOfRequest({ tenant: request.row.tenant_id, request: request.row.id }));
  // The newest instance of a gate's subject is the one that counts.
  const newest = new Map<string, OpenApproval>();
  for (const approval of approvals) {
    if (approval.node === null || approval.state === 'superseded') continue;
    newest.set(approval.node, {
      id: approval.id,
      node: approval.node,
      state: approval.state,
      expiresAt: approval.expires_at,
      decidedBy: null,
      reason: null,
    });
  }
  const open = [...newest.values()];
  if (!open.some((approval) => approval.state === 'rejected')) return open;
  const decisions = yield* rows(decisionsOfRequest({ tenant: request.row.tenant_id, request: request.row.id }));
  return open.map((approval) => {
    const rejection = decisions.find(
      (decision) => decision.approval_id === approval.id && decision.decision === 'reject',
    );
    return rejection === undefined
      ? approval
      : { ...approval, decidedBy: rejection.principal_id, reason: rejection.reason };
  });
}

/** How long after the plane is back its absence still excuses a lease: workers need this long to reach it again. */
const GRACE_MS = 15_000;

/** Whether the plane's own heartbeat shows that it was away while one of these leases ran out. */
function* wasAway(jobs: readonly JobRow[], now: number): Command<boolean> {
  const plane = yield* one(readPlane({}));
  if (plane === undefined || plane.away_from === null || plane.away_until === null) return false;
  const { away_from: from, away_until: until } = plane;
  return jobs.some(
    (job) =>
      job.state === 'leased' &&
      isOver(job, now) &&
      (job.lease_expires_at ?? 0) >= from &&
      (job.lease_expires_at ?? 0) <= until + GRACE_MS,
  );
}
