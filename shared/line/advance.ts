import type { BlueprintNode } from '../domain/blueprint/schema.ts';
import type { EffectState } from '../domain/effect/machine.ts';
import { LIMITS } from '../domain/limits.ts';
import { transition } from '../domain/machine.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';
import { requestMachine } from '../domain/request/machine.ts';
import { openGate } from '../gates/open-gate.ts';
import { type Command, rows, writeOne } from '../store/command.ts';
import { effectsOfRequest } from '../store/effects/read.ts';
import { updateRequest } from '../store/requests/update.ts';
import type { LockedRequest, NodeRow, RequestRow } from '../store/schema/rows.ts';
import { spentBudget } from './budget.ts';
import { applyConclusion } from './conclude.ts';
import type { PlaneContext } from './context.ts';
import { enqueueJobs } from './enqueue.ts';
import type { LineGraph } from './graph.ts';
import { type Loaded, loadRecorded } from './load.ts';
import { endNode, startNode } from './node-changes.ts';
import type { OpenRequest } from './open-request.ts';
import { BUDGET_EXHAUSTED, type Change, LEASE_EXPIRED } from './recorded.ts';
import { requeueJob } from './requeue.ts';
import { rework } from './rework.ts';
import { type Scope, tell } from './scope.ts';
import { walk } from './walk.ts';

export type Advanced = { readonly state: RequestRow['state']; readonly wakeAt: number; readonly done: boolean };

/**
 * Commits what became due for a request whose row this command holds: walks the recorded state, applies the changes, and
 * walks again until nothing more is due. Safe to run at any time and any number of times. Writes the request row, its next
 * deadline, and a nudge when the request ended or its next deadline moved earlier (not when its orchestrator is the caller).
 */
export function* advance(
  scope: Scope,
  { now: _now, ...before }: LockedRequest,
  options: { readonly orchestratorKnows?: boolean } = {},
): Command<Advanced> {
  const graph = pinnedGraph(scope.context, before);
  const request: OpenRequest = { row: before, graph };
  let wakeAt = before.deadline_at;
  const spent =
    before.state === 'running' ? yield* spentBudget(scope.context, before.application_id, scope.now) : undefined;
  // Each turn ends or starts at least one node, or ends the walk; so the blueprint's size bounds the turns.
  for (
    let turn = 0;
    request.row.state === 'running' && turn <= graph.line.nodes.length * LIMITS.blueprint.rounds * 2 + 1;
    turn += 1
  ) {
    const loaded = yield* loadRecorded(scope, request, spent);
    const step = walk(graph, loaded.recorded);
    wakeAt = step.wakeAt;
    if (step.changes.length === 0) break;
    for (const change of step.changes) {
      yield* apply(scope, request, change, loaded);
      scope.changes.push(describe(change));
      if (request.row.state !== 'running') break;
    }
    // Queued jobs make nothing else due, and everything else was looked at: another look would find nothing.
    if (step.changes.every((change) => change.do === 'enqueue')) break;
  }
  const due = Math.min(wakeAt, armedWake(scope.now, before.next_wake_at, graph));
  return yield* settle(scope, before, request.row, due, options.orchestratorKnows ?? false);
}

/** A gate that may expire within this is told of as it opens; a request that woke for such ones in advance would wake too often. */
const FORESEEN_MS = 60 * 60_000;

/**
 * When the request's orchestrator wakes without being told: what it is armed for, while that is ahead, else before any gate that is not open
 * yet can expire. So a gate that opens moves no deadline earlier and costs no nudge, which was a quarter of the orchestration of a workflow.
 */
function armedWake(now: number, armed: number | null, graph: LineGraph): number {
  if (armed !== null && armed > now) return armed;
  return graph.gateExpiryMs >= FORESEEN_MS ? now + graph.gateExpiryMs : Number.MAX_SAFE_INTEGER;
}

/** Writes the request row if anything about it changed, with its next deadline and the nudge that tells of it. */
function* settle(
  scope: Scope,
  before: RequestRow,
  after: RequestRow,
  wakeAt: number,
  orchestratorKnows: boolean,
): Command<Advanced> {
  const done = after.state === 'terminal';
  const nextWakeAt = after.state === 'running' ? Math.min(wakeAt, after.deadline_at) : after.deadline_at;
  const earlier = before.next_wake_at === null || nextWakeAt < before.next_wake_at;
  const nudge = !orchestratorKnows && before.nudged === 0 && (done || earlier);
  if (nudge) tell(scope, before.id, { kind: 'nudge', orchestrator: 'request', id: before.id, run: before.run });
  const nudged = orchestratorKnows ? 0 : nudge ? 1 : before.nudged;
  if (after !== before || scope.changes.length > 0 || nudged !== before.nudged || nextWakeAt !== before.next_wake_at) {
    yield* writeOne(updateRequest({ ...after, nudged, next_wake_at: nextWakeAt }));
    scope.touched.add(before.id);
  }
  return { state: after.state, wakeAt: nextWakeAt, done };
}

/** The blueprint the request was pinned to when it was submitted. */
export function pinnedGraph(context: PlaneContext, row: RequestRow): LineGraph {
  const line = context.documents.definitions(row.definitions_digest).lines.get(row.line);
  if (line === undefined)
    throw new Error(`the definitions ${row.definitions_digest} pinned by request ${row.id} have no line ${row.line}`);
  return line.graph;
}

function* apply(scope: Scope, request: OpenRequest, change: Change, loaded: Loaded): Command<void> {
  switch (change.do) {
    case 'skip':
      return yield* endNode(scope, request, nodeOf(loaded, change.node), 'skip', 'skipped', null);
    case 'succeed': {
      const outcome =
        [...loaded.jobs.values()].find(
          (job) => job.node_id === nodeOf(loaded, change.node).id && job.state === 'completed',
        )?.outcome ?? null;
      return yield* endNode(scope, request, nodeOf(loaded, change.node), 'succeed', change.verdict, outcome);
    }
    case 'enqueue':
      return yield* enqueueJobs(
        scope,
        request,
        blueprintOf(request, change.node, ['job', 'fan_out']),
        nodeOf(loaded, change.node),
      );
    case 'open_gate': {
      const node = nodeOf(loaded, change.node);
      const opened = yield* openGate(scope, request, blueprintOf(request, change.node, ['gate']), node, change.again);
      if (opened.kind === 'waived') return yield* endNode(scope, request, node, 'succeed', 'waived', null);
      if (opened.kind === 'denied') return yield* conclude(scope, request, opened.conclusion);
      return;
    }
    case 'seal': {
      const node = nodeOf(loaded, change.node);
      yield* startNode(scope, node);
      return tell(scope, request.row.id, {
        kind: 'seal',
        subject: 'change_evidence',
        request: request.row.id,
        node: change.node,
        round: node.round,
      });
    }
    case 'requeue': {
      const job = loaded.jobs.get(change.job);
      if (job === undefined) throw new Error(`the walk asked for job ${change.job}, which was not loaded`);
      return yield* requeueJob(scope, change, job, nodeOf(loaded, change.node));
    }
    case 'rework':
      return yield* rework(scope, request, change);
    case 'conclude':
      if ('code' in change.conclusion && [LEASE_EXPIRED, BUDGET_EXHAUSTED].includes(change.conclusion.code))
        for (const job of loaded.jobs.values())
          if (job.state === 'leased' && (job.lease_expires_at ?? 0) <= scope.now)
            scope.facts.push({ kind: 'lease_expired', pool: job.pool });
      return yield* conclude(scope, request, change.conclusion);
  }
}

function* conclude(scope: Scope, request: OpenRequest, conclusion: RequestConclusion): Command<void> {
  request.row = { ...request.row, state: transition(requestMachine, request.row.state, 'conclude') };
  const held = noOpLeftOut(scope, request, conclusion) ?? (yield* unseenEffect(request, conclusion)) ?? conclusion;
  yield* applyConclusion(scope, request, held);
}

/** A packet says by its `noOpRules` what may end it as nothing to do; any other such finding is a question, whichever step found it. */
function noOpLeftOut(
  { context }: Scope,
  { row }: OpenRequest,
  conclusion: RequestConclusion,
): RequestConclusion | undefined {
  if (conclusion.state !== 'NO_OP') return undefined;
  const { code, proof, node } = conclusion;
  if (context.documents.packet(row.packet_digest).noOpRules.includes(code)) return undefined;
  const found = proof === '' ? `The step "${node}" found ${code.replaceAll('_', ' ')}` : proof.replace(/\.$/u, '');
  return {
    state: 'ESCALATE',
    code: 'no_op_not_allowed',
    question: `${found}. The packet's noOpRules do not include ${code}: end the request, or correct the packet and submit again?`,
    tried: [`"${node}" ended as ${code}`],
    node,
  };
}

/**
 * A request that fails or runs out of time while an effect was begun and its end was not seen must not read as "try again": another
 * request would deliver a second time. A person looks at the target first.
 */
function* unseenEffect(request: OpenRequest, conclusion: RequestConclusion): Command<RequestConclusion | undefined> {
  const late = conclusion.state === 'ESCALATE' && conclusion.code === 'deadline_passed';
  if (conclusion.state !== 'RETRYABLE_FAILURE' && !late) return undefined;
  const effects = yield* rows(effectsOfRequest({ tenant: request.row.tenant_id, request: request.row.id }));
  const unseen = effects.filter((effect) => UNSEEN.includes(effect.state));
  if (unseen.length === 0) return undefined;
  const named = unseen.map((effect) => `${effect.kind} on ${effect.target} (${effect.id}, ${effect.state})`).join('; ');
  return {
    state: 'ESCALATE',
    code: 'effect_unseen',
    question: `${late ? 'The deadline passed' : 'The work ended'} before it was seen whether this happened: ${named}. Look at the target. Did it happen, and should it stay or be taken back? Retry only after that.`,
    tried:
      conclusion.state === 'RETRYABLE_FAILURE' ? [`${conclusion.attempts} attempts, last: ${conclusion.code}`] : [],
    node: conclusion.node,
  };
}

const UNSEEN: readonly EffectState[] = ['started', 'completed', 'uncertain'];

function nodeOf(loaded: Loaded, name: string): NodeRow {
  const node = loaded.nodes.get(name);
  if (node === undefined) throw new Error(`the walk asked for node ${name}, which is not open`);
  return node;
}

function blueprintOf<K extends BlueprintNode['kind']>(
  request: OpenRequest,
  name: string,
  kinds: readonly K[],
): BlueprintNode & { kind: K } {
  const node = request.graph.nodes.get(name);
  if (node === undefined || !kinds.includes(node.kind as K))
    throw new Error(`the walk asked for a ${kinds.join(' or ')} node and found ${node?.kind ?? 'none'}`);
  return node as BlueprintNode & { kind: K };
}

/** What the audit event says of a change: names, states and codes; texts live in their artifacts and rows. */
function describe(change: Change): string {
  switch (change.do) {
    case 'succeed':
      return `succeed ${change.node} ${change.verdict}`;
    case 'requeue':
      return `requeue ${change.node} ${change.job} ${change.because}${change.counted ? '' : ' (not counted)'}`;
    case 'rework':
      return `rework ${change.from} to ${change.to} ${change.because}`;
    case 'conclude': {
      const { conclusion } = change;
      return `conclude ${conclusion.state}${'code' in conclusion ? ` ${conclusion.code}` : ''}`;
    }
    default:
      return `${change.do} ${change.node}`;
  }
}
