import type { Digest } from '../domain/digest.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { lockApplication, updateApplication } from '../store/applications/applications.ts';
import { insertRepositories, removeRepositories, repositoriesOf } from '../store/applications/repositories.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { declareBudget } from './declare-budget.ts';
import type { Registered } from './register.ts';
import { repositoryRows } from './repository-rows.ts';

/**
 * Exchanges an application's declaration. Open requests keep the one they were pinned to. `expectedVersion`, where given, is the version
 * the caller read (409 `FACTORY-VERSION-CHANGED` when it is another by now). Refuses 404, 403 by policy, 409 `FACTORY-NAME-FIXED`, 422 `FACTORY-BUDGET-UNCOUNTED`.
 */
export function* updateDeclaration(
  context: PlaneContext,
  actor: Actor,
  input: {
    readonly application: ApplicationId;
    readonly declaration: Digest;
    readonly expectedVersion?: number | undefined;
  },
): Command<Committed<Registered> | Unchanged<Committed<Registered>>> {
  const { tenant } = context;
  const declaration = context.documents.declaration(input.declaration);
  const locked = yield* one(lockApplication({ tenant, application: input.application }));
  if (locked === undefined) throw notFound(`Application ${input.application}`);
  const { now, ...application } = locked;
  const decision = permit(
    context,
    application.definitions_digest,
    actor,
    now,
    'registerApplication',
    { id: tenant, tenant },
    `application ${application.name}`,
  );
  if (declaration.name !== application.name) {
    throw new Refusal(
      409,
      'FACTORY-NAME-FIXED',
      `The declaration is of "${declaration.name}", and this application is "${application.name}". A name can't be changed; register another application.`,
    );
  }
  const answer: Registered = { id: application.id, name: application.name, declaration: input.declaration };
  if (application.declaration_digest === input.declaration) return unchanged({ answer, outbox: [], touched: [] });
  if (input.expectedVersion !== undefined && input.expectedVersion !== application.version) {
    throw new Refusal(
      409,
      'FACTORY-VERSION-CHANGED',
      `Application ${application.name} is at version ${application.version}, not ${input.expectedVersion}. Read it again, and send the update for what it is now.`,
    );
  }
  const scope = openScope(context, now, actor);
  const known = new Map(
    (yield* rows(repositoriesOf({ tenant, application: application.id }))).map((row) => [row.name, row.id]),
  );
  yield* declareBudget(scope, application.id, declaration);
  yield* write(removeRepositories({ tenant, application: application.id }));
  yield* write(insertRepositories(repositoryRows(scope, application.id, declaration, known)));
  yield* writeOne(updateApplication({ ...application, declaration_digest: input.declaration, updated_at: now }));
  const commandId = `${application.id}:declare:${application.version}`;
  const decisionId = yield* recordDecision(context, decision, {
    actor,
    action: 'registerApplication',
    resource: application.id,
    now,
    commandId,
  });
  yield* write(
    insertArtifactReferenceIfAbsent({
      tenant_id: tenant,
      digest: input.declaration,
      kind: 'declaration',
      owner_type: 'application',
      owner_id: application.id,
      name: 'declaration',
      created_at: now,
    }),
  );
  return yield* commit(
    scope,
    {
      stream: application.id,
      commandId,
      action: 'application.declared',
      subjects: { application: application.id, decision: decisionId },
      digests: { declaration: input.declaration, before: application.declaration_digest },
      values: { repositories: declaration.repositories.length },
    },
    answer,
  );
}
