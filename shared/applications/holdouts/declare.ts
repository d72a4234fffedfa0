import type { Digest } from '../../domain/digest.ts';
import type { ApplicationId, PrincipalId } from '../../domain/ids.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Scope } from '../../line/scope.ts';
import { type Command, one, write } from '../../store/command.ts';
import { currentHoldouts, endHoldouts, insertHoldoutSet } from '../../store/holdouts/sets.ts';
import type { DeclaredHoldouts } from './keep.ts';

/** `has`: whether the declaration says that there are hidden scenarios. `set`: another set of them than the current one, and who handed it in. */
type Declared = { readonly has: boolean; readonly set: Digest | undefined; readonly by: PrincipalId };

/**
 * Makes what was declared the application's hidden scenarios, and answers the digest of the set that is current then. Requests that are open keep
 * theirs. Refuses with 409 `FACTORY-VERSION-CHANGED` to keep a set that is not there any more. The application's row is locked or new.
 */
export function* declareHoldouts(
  { context: { tenant }, now }: Pick<Scope, 'context' | 'now'>,
  application: ApplicationId,
  { has, set, by }: Declared,
): Command<Digest | null> {
  if (has && set === undefined) {
    const current = yield* one(currentHoldouts({ tenant, application }));
    if (current !== undefined) return current.digest;
    throw new Refusal(
      409,
      'FACTORY-VERSION-CHANGED',
      `The hidden scenarios of application ${application} were taken away meanwhile. Read the application again, and send the update for what it is now.`,
    );
  }
  yield* write(endHoldouts({ tenant, application, at: now }));
  if (!has || set === undefined) return null;
  const row = { tenant_id: tenant, digest: set, application_id: application, submitted_by: by };
  yield* write(insertHoldoutSet({ ...row, submitted_at: now, ended_at: null }));
  return set;
}

/** Records the sealed set as the application's. Late in a command: artifacts rank behind everything else that it locks. */
export function* recordHoldouts(application: ApplicationId, declared: DeclaredHoldouts): Command<void> {
  if (declared.kind !== 'new') return;
  const owner = { type: 'application', id: application, name: 'holdouts' } as const;
  yield* declared.record({ ...declared.sealed, input: { ...declared.sealed.input, owner } });
}
