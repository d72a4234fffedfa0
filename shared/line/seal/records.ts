import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import type { ApprovalSubject } from '../../domain/approval/subject.ts';
import type { RequestId } from '../../domain/ids.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import { findPolicyDecisions } from '../../store/approvals/policy-decisions.ts';
import { approvalsOfRequest, decisionsOfRequest, findApprovalSubject } from '../../store/approvals/read.ts';
import { type Command, one, rows } from '../../store/command.ts';
import { effectsOfRequest } from '../../store/effects/read.ts';
import { evidenceOf, plansOf, verificationsOf } from '../../store/evidence/records.ts';
import { jobInputsOf, jobOutputs } from '../../store/jobs/artifacts.ts';
import { attemptsOfRequest } from '../../store/jobs/attempts.ts';
import { listJobs } from '../../store/jobs/read.ts';
import { readNodes } from '../../store/nodes/read.ts';
import { databaseTime } from '../../store/platform/database-time.ts';
import { readRequest } from '../../store/requests/read.ts';
import type { ApprovalRow, EffectRow, NodeRow, RequestRow } from '../../store/schema/rows.ts';
import { pinnedGraph } from '../advance.ts';
import type { PlaneContext } from '../context.ts';
import type { LineGraph } from '../graph.ts';

type RowsOf<S extends (...values: never[]) => unknown> =
  ReturnType<S> extends { readonly __row?: infer R } ? readonly NonNullable<R>[] : never;
type Listed<S extends (...values: never[]) => unknown> = RowsOf<S>[number];

export type JobRecord = Listed<typeof listJobs> & {
  readonly inputs: RowsOf<typeof jobInputsOf>;
  readonly outputs: RowsOf<typeof jobOutputs>;
  readonly attempts: RowsOf<typeof attemptsOfRequest>;
};
export type ApprovalRecord = ApprovalRow & {
  readonly subject: ApprovalSubject | undefined;
  readonly decisions: RowsOf<typeof decisionsOfRequest>;
};

/** Everything that is recorded of a request, read in one go: what its evidence is built from. */
export type RequestRecords = {
  readonly now: number;
  readonly request: RequestRow;
  readonly graph: LineGraph;
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  /** Every round, superseded ones included. */
  readonly nodes: readonly NodeRow[];
  /** Jobs that somebody has held, oldest first. */
  readonly jobs: readonly JobRecord[];
  /** How many more there were than evidence can list. */
  readonly jobsLeftOut: number;
  readonly verifications: RowsOf<typeof verificationsOf>;
  readonly plans: RowsOf<typeof plansOf>;
  readonly approvals: readonly ApprovalRecord[];
  readonly policyDecisions: RowsOf<typeof findPolicyDecisions>;
  readonly effects: readonly EffectRow[];
  readonly bundles: RowsOf<typeof evidenceOf>;
};

/** A blueprint's nodes with every round, and the widest fan-out beside them. */
const NODES = LIMITS.blueprint.nodes * LIMITS.blueprint.rounds;
const JOBS = 1_100;
const JOBS_READ = LIMITS.blueprint.fanOut * LIMITS.blueprint.rounds + NODES;

/**
 * Reads what is recorded of a request; undefined when there is none. Reading evidence costs statements in proportion to the jobs,
 * once or twice a request. Throws `DocumentNotLoaded` for a pinned document that is not in memory.
 */
export function* readRecords(context: PlaneContext, id: RequestId): Command<RequestRecords | undefined> {
  const of = { tenant: context.tenant, request: id };
  const request = yield* one(readRequest(of));
  if (request === undefined) return undefined;
  const now = yield* databaseTime();
  const nodes = yield* rows(readNodes({ ...of, afterOrdinal: null, afterRound: null, limit: NODES }));
  const listed = yield* rows(listJobs({ ...of, after: null, limit: JOBS_READ }));
  const jobs: JobRecord[] = [];
  const told = tellable(listed, nodes);
  const attempts = Map.groupBy(yield* rows(attemptsOfRequest(of)), ({ job_id }) => job_id);
  for (const job of told) {
    const inputs = yield* rows(jobInputsOf({ tenant: context.tenant, job: job.id }));
    const outputs = yield* rows(jobOutputs({ tenant: context.tenant, job: job.id }));
    jobs.push({ ...job, inputs, outputs, attempts: attempts.get(job.id) ?? [] });
  }
  const decisions = yield* rows(decisionsOfRequest(of));
  const approvals: ApprovalRecord[] = [];
  for (const approval of yield* rows(approvalsOfRequest(of))) {
    const subject = yield* one(findApprovalSubject({ tenant: context.tenant, digest: approval.subject_digest }));
    approvals.push({
      ...approval,
      subject: subject === undefined ? undefined : (JSON.parse(subject.body) as ApprovalSubject),
      decisions: decisions.filter((decision) => decision.approval_id === approval.id),
    });
  }
  const effects = yield* rows(effectsOfRequest(of));
  const asked = [request, ...nodes, ...effects, ...decisions].flatMap((row) => row.policy_decision_id ?? []);
  return {
    now,
    request,
    graph: pinnedGraph(context, request),
    packet: context.documents.packet(request.packet_digest),
    declaration: context.documents.declaration(request.declaration_digest),
    nodes,
    jobs,
    jobsLeftOut: listed.filter(isHeld).length - jobs.length,
    verifications: yield* rows(verificationsOf(of)),
    plans: yield* rows(plansOf(of)),
    approvals,
    policyDecisions: yield* rows(
      findPolicyDecisions({ tenant: context.tenant, ids: JSON.stringify([...new Set(asked)]) }),
    ),
    effects,
    bundles: yield* rows(evidenceOf(of)),
  };
}

const isHeld = (job: Listed<typeof listJobs>): boolean => job.lease_epoch > 0;

/** The jobs that evidence lists, oldest first: where there are too many, those of superseded rounds are left out before the highest parts of fan-outs. */
function tellable(listed: readonly Listed<typeof listJobs>[], nodes: readonly NodeRow[]): Listed<typeof listJobs>[] {
  const held = listed.filter(isHeld);
  if (held.length <= JOBS) return held;
  const superseded = new Set<string>(nodes.filter((node) => node.state === 'superseded').map((node) => node.id));
  const rank = (job: Listed<typeof listJobs>): number =>
    superseded.has(job.node_id) ? LIMITS.blueprint.fanOut : job.fan_index;
  const kept = new Set(
    [...held]
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, JOBS)
      .map((job) => job.id),
  );
  return held.filter((job) => kept.has(job.id));
}
