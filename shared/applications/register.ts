import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import type { Digest } from '../domain/digest.ts';
import type { ApplicationId, PrincipalId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { applicationByName, insertApplication } from '../store/applications/applications.ts';
import { insertRepositories } from '../store/applications/repositories.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, one, type Unchanged, unchanged, write } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import { declareBudget } from './declare-budget.ts';
import { declareHoldouts, recordHoldouts } from './holdouts/declare.ts';
import { type DeclaredHoldouts, NO_HOLDOUTS } from './holdouts/keep.ts';
import { repositoryRows } from './repository-rows.ts';

export type Registered = { readonly id: ApplicationId; readonly name: string; readonly declaration: Digest };

/**
 * Registers an application by its declaration and hidden scenarios, which were kept before (`keepDeclaration`, `keepHoldouts`). The same declaration again is
 * answered as it stands. Refuses 403 by policy, 422 `FACTORY-BUDGET-UNCOUNTED`, and 409 `FACTORY-APPLICATION-EXISTS` when its name is taken by another declaration.
 */
export function* registerApplication(
  context: PlaneContext,
  actor: Actor,
  declarationDigest: Digest,
  holdouts: DeclaredHoldouts = NO_HOLDOUTS,
): Command<Committed<Registered> | Unchanged<Committed<Registered>>> {
  const { tenant } = context;
  const declaration: ApplicationDeclaration = context.documents.declaration(declarationDigest);
  const { name } = declaration;
  const now = yield* databaseTime();
  const decision = permit(
    context,
    null,
    actor,
    now,
    'registerApplication',
    { id: tenant, tenant },
    `application ${name}`,
  );
  const known = yield* one(applicationByName({ tenant, name }));
  if (known !== undefined) {
    if (known.declaration_digest === declarationDigest && holdouts.kind !== 'new')
      return unchanged({ answer: { id: known.id, name, declaration: declarationDigest }, outbox: [], touched: [] });
    throw new Refusal(
      409,
      'FACTORY-APPLICATION-EXISTS',
      `An application named "${name}" is registered with another declaration. Update that one, or choose another name; nothing was changed.`,
    );
  }
  const scope = openScope(context, now, actor);
  const id = context.newId('application', now);
  yield* write(
    insertApplication({
      id,
      tenant_id: tenant,
      name,
      declaration_digest: declarationDigest,
      definitions_digest: null,
      policy_digest: null,
      installed_line_digests: '{}',
      version: 1,
      created_at: now,
      updated_at: now,
    }),
  );
  yield* declareBudget(scope, id, declaration);
  const hidden = yield* declareHoldouts(scope, id, {
    has: declaration.holdouts === true,
    set: holdouts.kind === 'new' ? holdouts.sealed.row.digest : undefined,
    by: actor.principal as PrincipalId,
  });
  yield* write(insertRepositories(repositoryRows(scope, id, declaration, new Map())));
  const commandId = `${id}:register`;
  const decisionId = yield* recordDecision(context, decision, {
    actor,
    action: 'registerApplication',
    resource: id,
    now,
    commandId,
  });
  yield* write(
    insertArtifactReferenceIfAbsent({
      tenant_id: tenant,
      digest: declarationDigest,
      kind: 'declaration',
      owner_type: 'application',
      owner_id: id,
      name: 'declaration',
      created_at: now,
    }),
  );
  yield* recordHoldouts(id, holdouts);
  return yield* commit(
    scope,
    {
      stream: id,
      commandId,
      action: 'application.registered',
      subjects: { application: id, decision: decisionId },
      digests: { declaration: declarationDigest, holdouts: hidden },
      values: { name, repositories: declaration.repositories.length },
    },
    { id, name, declaration: declarationDigest },
  );
}
