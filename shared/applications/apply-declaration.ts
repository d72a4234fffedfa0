import type { DeclarationSubject } from '../domain/approval/subject.ts';
import type { Digest } from '../domain/digest.ts';
import type { PrincipalId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Scope } from '../line/scope.ts';
import { updateApplication } from '../store/applications/applications.ts';
import { insertRepositories, removeRepositories, repositoriesOf } from '../store/applications/repositories.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, rows, write, writeOne } from '../store/command.ts';
import type { ApplicationRow } from '../store/schema/rows.ts';
import { declareBudget } from './declare-budget.ts';
import { declareHoldouts } from './holdouts/declare.ts';
import { repositoryRows } from './repository-rows.ts';

/** An application's row, locked. */
export type LockedApplication = ApplicationRow & { readonly now: number };

/**
 * Puts another declaration into force on an application whose row is held. New requests are pinned to it, open ones keep theirs. Refuses 409
 * `FACTORY-VERSION-CHANGED` when the one it was made against is not in force any more, and 422 `FACTORY-BUDGET-UNCOUNTED`.
 */
export function* applyDeclaration(
  scope: Scope,
  { now, ...application }: LockedApplication,
  { from, to, holdouts, requestedBy }: Pick<DeclarationSubject, 'from' | 'to' | 'holdouts' | 'requestedBy'>,
): Command<void> {
  if (application.declaration_digest !== from)
    throw new Refusal(
      409,
      'FACTORY-VERSION-CHANGED',
      `The declaration was made against ${from}, and ${application.declaration_digest} is in force on ${application.name} by now. Propose it again.`,
    );
  const { tenant } = scope.context;
  const declaration = scope.context.documents.declaration(to);
  const known = new Map(
    (yield* rows(repositoriesOf({ tenant, application: application.id }))).map((row) => [row.name, row.id]),
  );
  yield* declareBudget(scope, application.id, declaration);
  const has = declaration.holdouts === true;
  yield* declareHoldouts(scope, application.id, { has, set: holdouts, by: requestedBy as PrincipalId });
  yield* write(removeRepositories({ tenant, application: application.id }));
  yield* write(insertRepositories(repositoryRows(scope, application.id, declaration, known)));
  yield* writeOne(updateApplication({ ...application, declaration_digest: to, updated_at: now }));
  yield* keepReference(scope, application, to);
  scope.changes.push(`declare ${to}`);
}

/** What keeps a declaration's artifact, in force or proposed; who may read it follows from it. */
export function* keepReference(scope: Scope, application: ApplicationRow, declaration: Digest): Command<void> {
  yield* write(
    insertArtifactReferenceIfAbsent({
      tenant_id: scope.context.tenant,
      digest: declaration,
      kind: 'declaration',
      owner_type: 'application',
      owner_id: application.id,
      name: 'declaration',
      created_at: scope.now,
    }),
  );
}
