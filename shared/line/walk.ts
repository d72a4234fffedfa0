import type { BlueprintNode, Condition, FanOutNode, JobNode } from '../domain/blueprint/schema.ts';
import { presentVerdict, SKIPPED, TASKS } from '../domain/blueprint/tasks.ts';
import { CHECK_STARVED, type Failure, failureSignature } from '../domain/failure.ts';
import { LIMITS } from '../domain/limits.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';
import type { LineGraph } from './graph.ts';
import {
  BUDGET_EXHAUSTED,
  type Change,
  type EndedNode,
  LEASE_EXPIRED,
  type NoBudget,
  type OpenJob,
  type OpenNode,
  type Recorded,
  type Walk,
} from './recorded.ts';

/**
 * The pure walk over recorded state: what became due for a running request. It reads nothing else and decides nothing by
 * chance, so walking the same state twice gives the same changes, and walking the state after them gives none.
 */
export function walk(graph: LineGraph, recorded: Recorded): Walk {
  if (recorded.now >= recorded.deadlineAt && !recorded.nodes.every((node) => isSettling(node, recorded, graph))) {
    const open = recorded.nodes.map((node) => node.name);
    const question = `The request did not finish by its deadline; still open: ${open.join(', ') || 'nothing'}. Retry it with a later deadline, or drop it?`;
    return conclude({ state: 'ESCALATE', code: 'deadline_passed', question, tried: [], node: open[0] ?? 'request' });
  }
  const changes: Change[] = [];
  let wakeAt = recorded.deadlineAt;
  for (const node of recorded.nodes) {
    const blueprint = graph.nodes.get(node.name);
    if (blueprint === undefined) continue;
    const step = node.state === 'ready' ? ready(blueprint, recorded, graph) : active(blueprint, node, recorded, graph);
    wakeAt = Math.min(wakeAt, step.wakeAt);
    for (const change of step.changes) {
      if (change.do === 'conclude' || change.do === 'rework') return { changes: [...changes, change], wakeAt };
      changes.push(change);
    }
  }
  if (recorded.nodes.length === 0) {
    const question =
      'Every node of the blueprint has ended and none concluded the request. The product line lacks a conclusion for this case: what should the request end as?';
    return conclude({ state: 'ESCALATE', code: 'no_conclusion', question, tried: [], node: 'request' });
  }
  return recorded.noBudget === null
    ? { changes, wakeAt }
    : withinBudget({ changes, wakeAt }, recorded.noBudget, recorded);
}

/** Work that has ended, or a decision about it: a delivery that was made in time is told as such, though its end is read after the deadline. */
function isSettling(node: OpenNode, { jobs }: Recorded, graph: LineGraph): boolean {
  const kind = graph.nodes.get(node.name)?.kind;
  return (
    kind === 'decide' || (kind === 'job' && jobs.some((job) => job.node === node.name && job.state === 'completed'))
  );
}

const NEVER = Number.MAX_SAFE_INTEGER;
const conclude = (conclusion: RequestConclusion): Walk => ({
  changes: [{ do: 'conclude', conclusion }],
  wakeAt: NEVER,
});
const nothing: Walk = { changes: [], wakeAt: NEVER };
const only = (change: Change): Walk => ({ changes: [change], wakeAt: NEVER });

/**
 * With nothing left of the budget, the first change that would begin an attempt, or a queued job that waits to, ends the request instead. Whatever is due
 * before it happens; what is under way goes on as long as nothing else has to begin.
 */
function withinBudget({ changes, wakeAt }: Walk, noBudget: NoBudget, recorded: Recorded): Walk {
  const at = changes.findIndex((change) => change.do === 'enqueue' || change.do === 'requeue');
  const beginning = changes[at];
  if (beginning !== undefined && (beginning.do === 'enqueue' || beginning.do === 'requeue')) {
    const { node } = beginning;
    const attempt = recorded.jobs.find((job) => job.node === node)?.attempt ?? 1;
    return { changes: [...changes.slice(0, at), outOfBudget(node, attempt, noBudget.words)], wakeAt: NEVER };
  }
  if (noBudget.queued === null || changes.some((change) => change.do === 'conclude')) return { changes, wakeAt };
  const { node, attempt } = noBudget.queued;
  return { changes: [...changes, outOfBudget(node, attempt, noBudget.words)], wakeAt: NEVER };
}

/** `attempts` counts the one that could not begin. */
function outOfBudget(node: string, attempts: number, message: string): Change {
  const failure = { kind: 'retryable', class: 'budget_exhausted', code: BUDGET_EXHAUSTED, message } as const;
  const { class: category, code } = failure;
  const signature = failureSignature(node, failure);
  return {
    do: 'conclude',
    conclusion: { state: 'RETRYABLE_FAILURE', class: category, code, signature, attempts, message, node },
  };
}

const holds = (conditions: readonly Condition[], ended: ReadonlyMap<string, EndedNode>): boolean =>
  conditions.every(({ node, verdict }) => {
    const is = presentVerdict(ended.get(node)?.verdict ?? '');
    return verdict.some((wanted) => presentVerdict(wanted) === is);
  });

function ready(node: BlueprintNode, recorded: Recorded, graph: LineGraph): Walk {
  if (!holds(node.when, recorded.ended)) return only({ do: 'skip', node: node.id });
  if (node.kind !== 'decide') {
    const untaken = untakenVerdict(node, recorded, graph);
    if (untaken !== undefined) return untaken;
  }
  switch (node.kind) {
    case 'job':
    case 'fan_out':
      return only({ do: 'enqueue', node: node.id });
    case 'gate':
      return only({ do: 'open_gate', node: node.id, again: false });
    case 'seal':
      return only({ do: 'seal', node: node.id });
    case 'decide': {
      const met = node.cases.find((item) => holds(item.when, recorded.ended));
      if (met === undefined)
        return untakenVerdict(node, recorded, graph) ?? only({ do: 'succeed', node: node.id, verdict: 'go_on' });
      const about = met.when[0]?.node ?? node.id;
      const ended = recorded.ended.get(about);
      const { conclude: end } = met;
      if (end.state === 'PR_READY') return conclude(end);
      if (end.state === 'NO_OP') return conclude({ ...end, proof: ended?.summary ?? '', node: about });
      const question =
        ended?.question ??
        end.question ??
        `The step "${about}" ended with "${ended?.verdict}": how should the work go on?`;
      return conclude({
        state: 'ESCALATE',
        code: end.code,
        question,
        tried: ended?.summary ? [ended.summary] : [],
        node: about,
      });
    }
  }
}

/**
 * The question of a node that waits for a job which ended with a verdict that nothing may follow unasked, where the blueprint says
 * nothing of it: it was pinned before the verdict existed, or forgot it. A condition of the node's own says that it does.
 */
function untakenVerdict(node: BlueprintNode, recorded: Recorded, graph: LineGraph): Walk | undefined {
  for (const need of node.needs) {
    const source = graph.nodes.get(need);
    const ended = recorded.ended.get(need);
    if (source?.kind !== 'job' || ended === undefined || ended.verdict === SKIPPED) continue;
    const contract = TASKS.get(source.task);
    if (contract === undefined || contract.goesOn.includes(ended.verdict)) continue;
    if (node.when.some((condition) => condition.node === need)) continue;
    const question = ended.question ?? `The step "${need}" ended with "${ended.verdict}": how should the work go on?`;
    return conclude({
      state: 'ESCALATE',
      code: ended.verdict,
      question,
      tried: ended.summary === '' ? [] : [ended.summary],
      node: need,
    });
  }
  return undefined;
}

function active(blueprint: BlueprintNode, node: OpenNode, recorded: Recorded, graph: LineGraph): Walk {
  switch (blueprint.kind) {
    case 'gate':
      return gate(blueprint.id, recorded);
    case 'seal':
      return node.sealed ? only({ do: 'succeed', node: node.name, verdict: 'sealed' }) : nothing;
    case 'decide':
      return nothing;
    case 'job': {
      const job = recorded.jobs.find((candidate) => candidate.node === node.name);
      if (job === undefined) return nothing;
      if (job.state === 'completed') return completed(blueprint, node, job.verdict ?? 'ok');
      return openJob(blueprint, node, job, recorded, graph);
    }
    case 'fan_out': {
      if (node.fanDone >= node.fanTotal) return only({ do: 'succeed', node: node.name, verdict: 'ok' });
      const changes: Change[] = [];
      let wakeAt = NEVER;
      for (const job of recorded.jobs) {
        if (job.node !== node.name) continue;
        const step = openJob(blueprint, node, job, recorded, graph);
        changes.push(...step.changes);
        wakeAt = Math.min(wakeAt, step.wakeAt);
      }
      return { changes, wakeAt };
    }
  }
}

function completed(blueprint: JobNode, node: OpenNode, verdict: string): Walk {
  const { rework } = blueprint;
  if (rework?.verdict.includes(verdict) && node.round < rework.rounds)
    return only({ do: 'rework', from: node.name, to: rework.to, because: verdict });
  return only({ do: 'succeed', node: node.name, verdict });
}

function gate(name: string, recorded: Recorded): Walk {
  const approval = recorded.approvals.find((candidate) => candidate.node === name);
  if (approval === undefined) return nothing;
  switch (approval.state) {
    case 'approved':
      return only({ do: 'succeed', node: name, verdict: 'approved' });
    case 'rejected':
      return conclude({
        state: 'REJECTED',
        by: approval.decidedBy ?? 'unknown',
        reason: approval.reason ?? '',
        approval: approval.id,
      });
    case 'open':
      if (approval.expiresAt > recorded.now) return { changes: [], wakeAt: approval.expiresAt };
      return only({ do: 'open_gate', node: name, again: true });
    default:
      return only({ do: 'open_gate', node: name, again: true });
  }
}

function openJob(
  blueprint: JobNode | FanOutNode,
  node: OpenNode,
  job: OpenJob,
  recorded: Recorded,
  graph: LineGraph,
): Walk {
  const { now } = recorded;
  switch (job.state) {
    case 'queued':
      return nothing;
    case 'leased': {
      if (job.leaseExpiresAt === null || job.leaseExpiresAt > now) return nothing;
      // A renewal never reaches past the job's own limit, so a job that runs too long ends here as well.
      if (job.timeoutAt !== null && job.timeoutAt <= now) {
        return again(
          blueprint,
          node,
          job,
          recorded,
          graph,
          {
            kind: 'retryable',
            class: 'environment',
            code: 'JOB-TIMED-OUT',
            message: 'the job ran into its time limit',
          },
          'timed_out',
          true,
        );
      }
      const excused = recorded.planeWasAway || (!job.renewed && job.unrenewedExpiries === 0);
      return again(
        blueprint,
        node,
        job,
        recorded,
        graph,
        {
          kind: 'retryable',
          class: 'transient_infra',
          code: LEASE_EXPIRED,
          message: 'the worker stopped renewing its lease',
        },
        'expired',
        !excused,
      );
    }
    case 'failed':
      return failed(blueprint, node, job, recorded, graph);
    default:
      return nothing;
  }
}

function failed(
  blueprint: JobNode | FanOutNode,
  node: OpenNode,
  job: OpenJob,
  recorded: Recorded,
  graph: LineGraph,
): Walk {
  const failure: Failure = job.failure ?? {
    kind: 'retryable',
    class: 'environment',
    code: 'UNSTATED',
    message: 'the worker failed without saying why',
  };
  switch (failure.kind) {
    case 'terminal':
      return conclude({
        state: 'ESCALATE',
        code: failure.code,
        question: `The step "${node.name}" can't go on: ${failure.message} What should be changed?`,
        tried: [],
        node: node.name,
      });
    case 'needs_human':
      return conclude({
        state: 'ESCALATE',
        code: failure.code,
        question: failure.question,
        tried: failure.tried ?? [],
        node: node.name,
      });
    case 'cancelled':
      return again(
        blueprint,
        node,
        job,
        recorded,
        graph,
        { kind: 'retryable', class: 'transient_infra', code: 'CANCELLED-BY-WORKER', message: failure.message },
        'failed',
        true,
      );
    case 'retryable':
      return again(blueprint, node, job, recorded, graph, failure, 'failed', failure.class !== 'approval_stale');
  }
}

/** What passes without a change of anybody's: however often it was the same, there is no question to a person in it. */
const PASSING: readonly (Failure & { kind: 'retryable' })['class'][] = ['transient_infra', 'rate_limited'];

/** The one place that decides about another attempt. */
function again(
  blueprint: JobNode | FanOutNode,
  node: OpenNode,
  job: OpenJob,
  recorded: Recorded,
  graph: LineGraph,
  failure: Failure & { kind: 'retryable' },
  because: 'expired' | 'timed_out' | 'failed',
  counted: boolean,
): Walk {
  const signature = job.signature ?? failureSignature(node.name, failure);
  if (failure.class === 'approval_stale') {
    const gateName = [...graph.nodes.values()].find(
      (candidate) =>
        candidate.kind === 'gate' && candidate.subject === 'effect' && graph.from(candidate.id).includes(node.name),
    )?.id;
    if (gateName !== undefined && node.round < LIMITS.blueprint.rounds)
      return only({ do: 'rework', from: node.name, to: gateName, because: failure.code });
  }
  const equal = signature === node.lastSignature ? node.equalSignatures + 1 : 1;
  if (because === 'failed' && !PASSING.includes(failure.class) && equal >= LIMITS.job.equalSignatures) {
    const question = `The step "${node.name}" failed ${equal} times in the same way (${failure.code}): ${failure.message} What should be changed before it is tried again?`;
    return conclude({
      state: 'ESCALATE',
      code: 'same_failure',
      question,
      tried: [`${equal} attempts, signature ${signature}`],
      node: node.name,
    });
  }
  const saysLittle = because === 'expired' || failure.code === CHECK_STARVED;
  const allowed = blueprint.retry.attempts + (saysLittle ? LIMITS.job.lostWorkers : 0);
  const spent = counted && job.attempt >= allowed;
  const wanted = blueprint.retry.on.includes(failure.class);
  if (spent || !wanted) {
    return conclude({
      state: 'RETRYABLE_FAILURE',
      class: failure.class,
      code: failure.code,
      signature,
      attempts: job.attempt,
      message: failure.message,
      node: node.name,
    });
  }
  const backoff =
    because === 'expired' ? 0 : Math.min(blueprint.retry.backoffMs * 2 ** (job.attempt - 1), LIMITS.job.retryDelayMs);
  const notBefore = recorded.now + Math.max(backoff, failure.afterMs ?? 0);
  return only({
    do: 'requeue',
    node: node.name,
    job: job.id,
    because,
    counted,
    notBefore,
    signature: because === 'failed' ? signature : null,
  });
}
