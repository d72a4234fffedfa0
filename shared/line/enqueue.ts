import type { FanOutNode, JobNode } from '../domain/blueprint/schema.ts';
import type { Digest } from '../domain/digest.ts';
import type { JobId } from '../domain/ids.ts';
import type { Outcome } from '../domain/job/outcome.ts';
import { LIMITS } from '../domain/limits.ts';
import { changeBranch } from '../effects/ledger/target.ts';
import { findArtifacts } from '../store/artifacts/artifacts.ts';
import { type Command, rows, write } from '../store/command.ts';
import { evidenceOf } from '../store/evidence/records.ts';
import { outputsOfNodes } from '../store/jobs/artifacts.ts';
import { insertJobInputs, insertJobs } from '../store/jobs/insert.ts';
import { nodesByName } from '../store/nodes/read.ts';
import type { JobRow, NodeRow, RequestRow } from '../store/schema/rows.ts';
import { startNode } from './node-changes.ts';
import type { OpenRequest } from './open-request.ts';
import { type Scope, tell } from './scope.ts';

type Input = {
  readonly name: string;
  readonly digest: Digest;
  readonly kind: string;
  readonly media_type: string;
  readonly size: number;
};

/** Queues the job (or the jobs of a fan-out) of a ready node, with its inputs, and tells its pool. */
export function* enqueueJobs(
  scope: Scope,
  request: OpenRequest,
  node: JobNode | FanOutNode,
  nodeRow: NodeRow,
): Command<void> {
  const total = node.kind === 'fan_out' ? yield* fanOutCount(request, node) : 1;
  yield* startNode(scope, nodeRow, node.kind === 'fan_out' ? total : 0);
  const inputs = yield* inputsOf(request, node);
  const jobs: JobRow[] = [];
  for (let index = 0; index < total; index += 1) {
    jobs.push(
      newJob(scope, request.row, nodeRow, {
        pool: node.pool,
        task: node.task,
        station: node.kind === 'job' ? (node.station ?? null) : null,
        timeoutMs: node.timeoutMs,
        index,
        parameters: {
          ...(node.kind === 'fan_out' ? { index, of: total } : {}),
          ...(request.graph.line.mayAddTests === true ? { mayAddTests: true } : {}),
        },
      }),
    );
  }
  yield* queueJobs(scope, jobs, inputs);
}

export type NewJob = {
  readonly pool: JobRow['pool'];
  readonly task: string;
  readonly station: string | null;
  readonly timeoutMs: number;
  readonly index: number;
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** A queued job's row, due now. */
export function newJob(scope: Scope, request: RequestRow, node: NodeRow, job: NewJob): JobRow {
  return {
    id: scope.context.newId('job', scope.now),
    tenant_id: request.tenant_id,
    request_id: request.id,
    application_id: request.application_id,
    node_id: node.id,
    fan_index: job.index,
    pool: job.pool,
    task: job.task,
    station: job.station,
    priority: request.priority,
    state: 'queued',
    not_before: scope.now,
    next_hint_at: scope.now + scope.context.hintIntervalMs,
    claim_id: null,
    lease_epoch: 0,
    lease_token_hash: null,
    lease_owner: null,
    lease_expires_at: null,
    leased_at: null,
    renewed: 0,
    unrenewed_expiries: 0,
    attempt: 1,
    timeout_ms: job.timeoutMs,
    timeout_at: null,
    verdict: null,
    outcome: null,
    failure: null,
    signature: null,
    result_body_hash: null,
    answer: null,
    parameters: JSON.stringify({ branch: changeBranch(request.id), ...job.parameters }),
    queued_at: scope.now,
    ended_at: null,
    version: 1,
  };
}

/** Writes queued jobs, each with the same inputs, and a hint for each. */
export function* queueJobs(scope: Scope, jobs: readonly JobRow[], inputs: readonly Input[]): Command<void> {
  yield* write(insertJobs(jobs));
  yield* write(
    insertJobInputs(
      jobs.flatMap((job) => inputs.map((input) => ({ tenant_id: job.tenant_id, job_id: job.id as JobId, ...input }))),
    ),
  );
  for (const job of jobs) tell(scope, job.id, { kind: 'hint', job: job.id, pool: job.pool, request: job.request_id });
}

function* fanOutCount(request: OpenRequest, node: FanOutNode): Command<number> {
  if (typeof node.count === 'number') return node.count;
  const [source] = yield* rows(
    nodesByName({ tenant: request.row.tenant_id, request: request.row.id, names: JSON.stringify([node.count.node]) }),
  );
  const facts: Readonly<Record<string, unknown>> =
    source?.outcome == null ? {} : (JSON.parse(source.outcome) as Outcome).facts;
  const count = facts[node.count.fact];
  return typeof count === 'number' && count >= 1 ? Math.min(count, LIMITS.blueprint.fanOut) : 1;
}

/** The packet and the declaration, as every job gets them. */
export function* commonInputs(request: RequestRow): Command<Input[]> {
  const digests = [request.packet_digest, request.declaration_digest];
  const artifacts = yield* rows(findArtifacts({ tenant: request.tenant_id, digests: JSON.stringify(digests) }));
  return (['packet', 'declaration'] as const).map((name, index) => {
    const digest = digests[index] as Digest;
    const artifact = artifacts.find((candidate) => candidate.digest === digest);
    return {
      name,
      digest,
      kind: name,
      media_type: artifact?.media_type ?? 'application/json',
      size: artifact?.size ?? 0,
    };
  });
}

/** The common inputs and the outputs of earlier nodes that this node names. An output that a skipped node never made is left out. */
function* inputsOf(request: OpenRequest, node: JobNode | FanOutNode): Command<Input[]> {
  const { row } = request;
  const inputs = yield* commonInputs(row);
  const wanted = Object.entries(node.inputs);
  if (wanted.length === 0) return inputs;
  const names = [...new Set(wanted.map(([, from]) => from.node))];
  const made = yield* rows(outputsOfNodes({ tenant: row.tenant_id, request: row.id, names: JSON.stringify(names) }));
  const sealing = names.some((name) => request.graph.nodes.get(name)?.kind === 'seal');
  const bundles = sealing ? yield* rows(evidenceOf({ tenant: row.tenant_id, request: row.id })) : [];
  const sealed = bundles.findLast((bundle) => bundle.kind === 'change_evidence');
  const sealedArtifact =
    sealed === undefined
      ? []
      : yield* rows(findArtifacts({ tenant: row.tenant_id, digests: JSON.stringify([sealed.digest]) }));
  for (const [name, from] of wanted) {
    const output = made.find((candidate) => candidate.node === from.node && candidate.name === from.output);
    const evidence = request.graph.nodes.get(from.node)?.kind === 'seal' ? sealedArtifact[0] : undefined;
    const found = output ?? (evidence === undefined ? undefined : { ...evidence, kind: 'change_evidence' });
    if (found !== undefined)
      inputs.push({ name, digest: found.digest, kind: found.kind, media_type: found.media_type, size: found.size });
  }
  return inputs;
}
