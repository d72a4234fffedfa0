import type { PlaneContext } from '../line/context.ts';
import { PLANE } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import type { Command } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';

/** Writes counted refusals as one audit event of the tenant: a flood of forged tokens costs one event, not one each. */
export function* recordRefusals(
  context: PlaneContext,
  counts: Readonly<Record<string, number>>,
): Command<Committed<undefined>> {
  const now = yield* databaseTime();
  const scope = openScope(context, now, PLANE);
  const commandId = `refusals:${context.newId('policyDecision', now)}`;
  return yield* commit(
    scope,
    { stream: context.tenant, commandId, action: 'access.refused', subjects: {}, values: counts },
    undefined,
  );
}
