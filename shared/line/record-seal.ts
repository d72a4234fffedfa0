import { type Digest, digestOfBytes } from '../domain/digest.ts';
import type { Id, RequestId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';
import { requestMachine } from '../domain/request/machine.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { insertEvidenceBundle } from '../store/evidence/records.ts';
import { openNodes } from '../store/nodes/read.ts';
import { updateNode } from '../store/nodes/update.ts';
import { lockRequest } from '../store/requests/lock.ts';
import { updateRequest } from '../store/requests/update.ts';
import type { LockedRequest, NodeRow, RequestRow } from '../store/schema/rows.ts';
import { advance } from './advance.ts';
import { applyConclusion } from './conclude.ts';
import { PLANE, type PlaneContext } from './context.ts';
import { type Committed, commit, openScope, type Scope, tell } from './scope.ts';

/** What one signed statement is about: a seal node of one round, or a request's conclusion. */
export type SealedStatement = { readonly digest: Digest; readonly signedBy: Id<'key'> };
export type ChangeSeal = { readonly request: RequestId; readonly node: string; readonly round: number };
export type BundleSeal = {
  readonly request: RequestId;
  /** The conclusion as it was stored when the evidence was built: another one by now needs other evidence. */
  readonly stored: string;
  /** What the bundle says the request ended as; differs from what was stored when that could not be proven. */
  readonly conclusion: RequestConclusion;
};

/** `recorded`: this statement is the one that counts. `settled`: there was nothing to record any more; nothing was changed. */
export type SealAnswer = 'recorded' | 'settled';
type Recorded = Committed<SealAnswer>;
const settled = (): Unchanged<Recorded> => unchanged<Recorded>({ answer: 'settled', outbox: [], touched: [] });

/** Records change evidence on its seal node and goes on with the request. The first recorded counts; a second one changes nothing. */
export function* recordChangeEvidence(
  context: PlaneContext,
  seal: ChangeSeal,
  sealed: SealedStatement,
): Command<Recorded | Unchanged<Recorded>> {
  const held = yield* activeSealNode(context, seal);
  if (held === undefined) return settled();
  const { request, node, scope } = held;
  yield* insertBundle(scope, request, 'change_evidence', sealed);
  const outcome = {
    verdict: 'sealed',
    summary: sealed.digest,
    facts: { paths: [], manifests: [], testPaths: [] },
    unknowns: [],
  };
  yield* writeOne(updateNode({ ...node, sealed: 1, outcome: JSON.stringify(outcome) }));
  scope.changes.push(`sealed ${seal.node}`);
  yield* advance(scope, request);
  return yield* commit(
    scope,
    {
      stream: request.application_id,
      commandId: `${node.id}:seal`,
      action: 'request.change-evidence',
      subjects: { request: request.id, node: node.id, key: sealed.signedBy },
      digests: { evidence: sealed.digest },
    },
    'recorded',
  );
}

/** Change evidence can't be built from what is recorded: the request ends as a question that names what is missing. */
export function* refuseChangeEvidence(
  context: PlaneContext,
  seal: ChangeSeal,
  conclusion: RequestConclusion,
): Command<Recorded | Unchanged<Recorded>> {
  const held = yield* activeSealNode(context, seal);
  if (held === undefined) return settled();
  const { request: locked, node, scope } = held;
  const { now: _now, ...row } = locked;
  const open = {
    row: { ...row, state: transition(requestMachine, row.state, 'conclude') } satisfies RequestRow as RequestRow,
  };
  yield* applyConclusion(scope, open, conclusion);
  yield* writeOne(updateRequest({ ...open.row, next_wake_at: row.deadline_at }));
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${node.id}:unsealed`,
      action: 'request.change-evidence-refused',
      subjects: { request: row.id, node: node.id },
      values: { state: conclusion.state },
    },
    'recorded',
  );
}

/**
 * Ends a request with its evidence bundle: `terminal` is written here and nowhere else. `store` records the bundle's artifact, so that the
 * artifact and the row that names it are one transaction. The first recorded counts; a second one changes nothing.
 */
export function* recordBundle(
  context: PlaneContext,
  seal: BundleSeal,
  sealed: SealedStatement,
  store: () => Command<void>,
): Command<Recorded | Unchanged<Recorded>> {
  const locked = yield* one(lockRequest({ tenant: context.tenant, request: seal.request }));
  if (locked === undefined || locked.state !== 'concluding' || locked.conclusion !== seal.stored) return settled();
  const { now, ...row } = locked;
  const scope = openScope(context, now, PLANE);
  scope.touched.add(row.id);
  yield* insertBundle(scope, locked, 'evidence_bundle', sealed);
  yield* writeOne(
    updateRequest({
      ...row,
      state: transition(requestMachine, row.state, 'seal'),
      conclusion: JSON.stringify(seal.conclusion),
      terminal_state: seal.conclusion.state,
      evidence_digest: sealed.digest,
      finished_at: now,
      next_wake_at: null,
      nudged: 1,
    }),
  );
  scope.facts.push({
    kind: 'request_ended',
    request: row.id,
    application: row.application_id,
    line: row.line,
    state: seal.conclusion.state,
    startedAt: row.created_at,
    endedAt: now,
    traceparent: row.traceparent,
  });
  yield* store();
  if (row.nudged === 0) tell(scope, row.id, { kind: 'nudge', orchestrator: 'request', id: row.id, run: row.run });
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${row.id}:sealed`,
      action: 'request.ended',
      subjects: { request: row.id, key: sealed.signedBy },
      digests: { evidence: sealed.digest, conclusion: digestOfBytes(JSON.stringify(seal.conclusion)) },
      values: { state: seal.conclusion.state, ...('code' in seal.conclusion ? { code: seal.conclusion.code } : {}) },
    },
    'recorded',
  );
}

function* activeSealNode(
  context: PlaneContext,
  seal: ChangeSeal,
): Command<{ readonly request: LockedRequest; readonly node: NodeRow; readonly scope: Scope } | undefined> {
  const request = yield* one(lockRequest({ tenant: context.tenant, request: seal.request }));
  if (request === undefined || request.state !== 'running') return undefined;
  const open = yield* rows(openNodes({ tenant: context.tenant, request: seal.request }));
  const node = open.find(
    (candidate) => candidate.name === seal.node && candidate.round === seal.round && candidate.state === 'active',
  );
  if (node === undefined || node.kind !== 'seal' || node.sealed === 1) return undefined;
  const scope = openScope(context, request.now, PLANE);
  scope.touched.add(request.id);
  return { request, node, scope };
}

function* insertBundle(
  scope: Scope,
  request: LockedRequest,
  kind: 'change_evidence' | 'evidence_bundle',
  sealed: SealedStatement,
): Command<void> {
  yield* write(
    insertEvidenceBundle({
      id: scope.context.newId('bundle', scope.now),
      tenant_id: request.tenant_id,
      request_id: request.id,
      kind,
      digest: sealed.digest,
      signed_by: sealed.signedBy,
      created_at: scope.now,
    }),
  );
}
