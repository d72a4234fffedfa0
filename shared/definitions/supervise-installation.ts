import { approvalMachine } from '../domain/approval/machine.ts';
import type { InstallationId } from '../domain/ids.ts';
import { type InstallationState, installationMachine } from '../domain/installation/machine.ts';
import { transition } from '../domain/machine.ts';
import type { PlaneContext } from '../line/context.ts';
import { type Committed, commit, type Scope } from '../line/scope.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, type Unchanged, unchanged, writeOne } from '../store/command.ts';
import { updateInstallation } from '../store/installations/installations.ts';
import type { ApprovalRow, InstallationRow } from '../store/schema/rows.ts';
import { applyDefinitions } from './apply-installation.ts';
import { type HeldInstallation, holdInstallation } from './held-installation.ts';

/** What an installation's orchestrator is told: go on until a time, or end. */
export type InstallationSupervision = {
  readonly over: boolean;
  readonly wakeAt: number;
  readonly phase: InstallationState | 'gone';
};

type Supervised = Committed<InstallationSupervision>;
const ENDED: readonly InstallationState[] = ['applied', 'failed', 'drifted', 'superseded', 'rolled_back', 'rejected'];
const gone: InstallationSupervision = { over: true, wakeAt: 0, phase: 'gone' };

/**
 * One turn of an installation's supervisor. Waits for the approval until it expires; approved, first says `applying`, and in a turn of its own
 * switches the application over. Idempotent: a turn that was committed and not heard of is met again as the state it left.
 */
export function* superviseInstallation(
  context: PlaneContext,
  id: InstallationId,
  run: number,
): Command<Supervised | Unchanged<Supervised>> {
  const held = yield* holdInstallation(context, id);
  if (held === undefined || held.installation.run !== run) return unchanged({ answer: gone, outbox: [], touched: [] });
  const { application, approval, installation, scope } = held;
  if (ENDED.includes(installation.state))
    return unchanged({ answer: { over: true, wakeAt: 0, phase: installation.state }, outbox: [], touched: [] });
  const before = installation.state;
  const after = yield* turn(held);
  if (after === undefined) {
    const wakeAt = approval?.expires_at ?? scope.now;
    if (installation.nudged === 0 && installation.next_wake_at === wakeAt)
      return unchanged({ answer: { over: false, wakeAt, phase: before }, outbox: [], touched: [] });
    yield* writeOne(updateInstallation({ ...installation, nudged: 0, next_wake_at: wakeAt }));
    return { answer: { over: false, wakeAt, phase: before }, outbox: [], touched: [] };
  }
  yield* writeOne(updateInstallation({ ...after, nudged: 0 }));
  scope.touched.add(id);
  return yield* commit(
    scope,
    {
      stream: application.id,
      commandId: `${id}:${after.state}:${installation.version}`,
      action: `installation.${after.state}`,
      subjects: { installation: id, approval: approval?.id ?? null },
      digests: {
        definitions: after.definitions_digest,
        before: application.definitions_digest,
        policy: after.policy_digest,
        plan: after.plan_digest,
      },
      values: { failure: after.failure },
    },
    { over: ENDED.includes(after.state), wakeAt: scope.now, phase: after.state },
  );
}

/** An installation that can't be applied, for a reason that another try will not change. */
export function* failInstallation(
  context: PlaneContext,
  id: InstallationId,
  run: number,
  why: string,
): Command<Supervised | Unchanged<Supervised>> {
  const held = yield* holdInstallation(context, id);
  if (held === undefined || held.installation.run !== run || held.installation.state !== 'applying')
    return unchanged({ answer: gone, outbox: [], touched: [] });
  const { application, installation, scope } = held;
  const after = failed(installation, scope, why);
  yield* writeOne(updateInstallation(after));
  scope.touched.add(id);
  return yield* commit(
    scope,
    {
      stream: application.id,
      commandId: `${id}:failed:${installation.version}`,
      action: 'installation.failed',
      subjects: { installation: id },
      digests: { definitions: after.definitions_digest, plan: after.plan_digest },
      values: { failure: why },
    },
    { over: true, wakeAt: 0, phase: after.state },
  );
}

/** The installation as this turn leaves it, or undefined when nothing is due. */
function* turn(held: HeldInstallation): Command<InstallationRow | undefined> {
  const { approval, installation, scope } = held;
  const { now } = scope;
  const standing =
    approval !== undefined && (approval.state === 'open' || approval.state === 'approved') && approval.expires_at > now;
  switch (installation.state) {
    case 'planned': {
      if (standing) return undefined;
      yield* expire(approval, now);
      return ended(
        installation,
        'reject',
        now,
        `Its approval is ${approval === undefined ? 'absent' : approval.expires_at <= now ? 'expired' : approval.state}. Plan it again.`,
      );
    }
    case 'approved': {
      if (standing && approval.state === 'approved')
        return {
          ...installation,
          state: transition(installationMachine, installation.state, 'apply'),
          next_wake_at: now,
        };
      yield* expire(approval, now);
      return ended(
        installation,
        'supersede',
        now,
        'Its approval was revoked or expired before it was applied. Plan it again.',
      );
    }
    case 'applying': {
      const refused = yield* applyDefinitions(held);
      if (refused !== undefined) return failed(installation, scope, refused);
      return {
        ...installation,
        state: transition(installationMachine, installation.state, 'succeed'),
        finished_at: now,
        next_wake_at: null,
      };
    }
    default:
      return undefined;
  }
}

/** An approval whose time is over says so, where it had not been decided otherwise. */
function* expire(approval: ApprovalRow | undefined, now: number): Command<void> {
  if (
    approval === undefined ||
    approval.expires_at > now ||
    (approval.state !== 'open' && approval.state !== 'approved')
  )
    return;
  yield* writeOne(
    updateApproval({
      ...approval,
      state: transition(approvalMachine, approval.state, 'expire'),
      decided_at: approval.decided_at ?? now,
    }),
  );
}

const ended = (row: InstallationRow, event: 'reject' | 'supersede', now: number, why: string): InstallationRow => ({
  ...row,
  state: transition(installationMachine, row.state, event),
  failure: why,
  finished_at: now,
  next_wake_at: null,
});

const failed = (row: InstallationRow, scope: Scope, why: string): InstallationRow => ({
  ...row,
  state: transition(installationMachine, row.state, 'fail'),
  failure: why.slice(0, 2_000),
  finished_at: scope.now,
  next_wake_at: null,
});
