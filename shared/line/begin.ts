import type { RequestId } from '../domain/ids.ts';
import { type Phase, phaseOf } from '../domain/request/phase.ts';
import { type Command, one, rows, type Unchanged, unchanged, writeOne } from '../store/command.ts';
import { openNodes } from '../store/nodes/read.ts';
import { lockRequest } from '../store/requests/lock.ts';
import { updateRequest } from '../store/requests/update.ts';
import { advance } from './advance.ts';
import { PLANE, type PlaneContext } from './context.ts';
import { type Committed, commit, openScope, tell } from './scope.ts';

/** What an orchestrator is told: go on until a time, or end (its run is over, the request is, or there is none). */
export type Supervision = { readonly over: boolean; readonly wakeAt: number; readonly phase: Phase };

const over: Supervision = { over: true, wakeAt: 0, phase: 'done' };

/**
 * One turn of a request's supervisor: whether this run is still the one, and what became due. Run when an orchestrator begins
 * and after every nudge or deadline; idempotent. Clears the nudge flag, so that the next one may be sent.
 */
export function* superviseRequest(
  context: PlaneContext,
  id: RequestId,
  run: number,
): Command<Committed<Supervision> | Unchanged<Committed<Supervision>>> {
  const row = yield* one(lockRequest({ tenant: context.tenant, request: id }));
  if (row === undefined || row.run !== run || row.state === 'terminal')
    return unchanged({ answer: over, outbox: [], touched: [] });
  const scope = openScope(context, row.now, PLANE);
  const advanced = yield* advance(scope, row, { orchestratorKnows: true });
  const open = yield* rows(openNodes({ tenant: context.tenant, request: id }));
  const answer: Supervision = { over: advanced.done, wakeAt: advanced.wakeAt, phase: phaseOf(advanced.state, open) };
  if (scope.changes.length > 0) {
    return yield* commit(
      scope,
      {
        stream: row.application_id,
        commandId: `${id}:advance:${row.version}`,
        action: 'request.advanced',
        subjects: { request: id },
      },
      answer,
    );
  }
  if (row.nudged === 1 || row.next_wake_at !== advanced.wakeAt) return { answer, outbox: [], touched: [] };
  return unchanged({ answer, outbox: [], touched: [] });
}

/** As the sweeper does for a request with expired leases: advances it, without standing in for its orchestrator. */
export function* advanceRequest(
  context: PlaneContext,
  id: RequestId,
): Command<Committed<boolean> | Unchanged<Committed<boolean>>> {
  const row = yield* one(lockRequest({ tenant: context.tenant, request: id }));
  if (row === undefined || row.state === 'terminal') return unchanged({ answer: false, outbox: [], touched: [] });
  const scope = openScope(context, row.now, PLANE);
  if (row.state === 'running') yield* advance(scope, row);
  if (scope.changes.length === 0) return unchanged({ answer: false, outbox: [], touched: [] });
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${id}:advance:${row.version}`,
      action: 'request.advanced',
      subjects: { request: id },
    },
    true,
  );
}

/** Opens the next run of a request whose orchestrator is gone: the earlier run's instance, should it wake, finds that it is over. */
export function* rerunRequest(
  context: PlaneContext,
  id: RequestId,
  expectedRun: number,
): Command<Committed<boolean> | Unchanged<Committed<boolean>>> {
  const row = yield* one(lockRequest({ tenant: context.tenant, request: id }));
  if (row === undefined || row.run !== expectedRun || row.state === 'terminal')
    return unchanged({ answer: false, outbox: [], touched: [] });
  const scope = openScope(context, row.now, PLANE);
  const run = row.run + 1;
  tell(scope, id, { kind: 'start', orchestrator: 'request', id, run });
  const { now: _now, ...request } = row;
  yield* writeOne(updateRequest({ ...request, run, nudged: 0 }));
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${id}:rerun:${run}`,
      action: 'request.rerun',
      subjects: { request: id },
      values: { run },
    },
    true,
  );
}
