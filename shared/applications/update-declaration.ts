import { declarationChanges } from '../domain/application/changes.ts';
import type { DeclarationSubject } from '../domain/approval/subject.ts';
import type { Digest } from '../domain/digest.ts';
import type { ApplicationId, ApprovalId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { decide, permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { lockApplication } from '../store/applications/applications.ts';
import { type Command, one, type Unchanged, unchanged } from '../store/command.ts';
import { applyDeclaration, keepReference } from './apply-declaration.ts';
import { recordHoldouts } from './holdouts/declare.ts';
import { type DeclaredHoldouts, NO_HOLDOUTS } from './holdouts/keep.ts';
import { closeProposals, proposeDeclaration } from './propose-declaration.ts';
import type { Registered } from './register.ts';

/** `declaration`: the one in force. `approval` and `subject`: what waits for a second person before the new one is; null when nothing does. */
export type Declared = Registered & { readonly approval: ApprovalId | null; readonly subject: Digest | null };
type Answer = Committed<Declared>;

/**
 * Exchanges an application's declaration and hidden scenarios, or proposes to: policy says which parts of it one person may change alone (`registerApplication`
 * with what changes, asked once as seconded and once not). What it keeps for two waits for an approval by another. Open requests keep the
 * declaration and the scenarios they were pinned to. `expectedVersion`, where given, is the version the caller read (409 `FACTORY-VERSION-CHANGED` when it is
 * another by now). Refuses 404, 403 by policy, 409 `FACTORY-NAME-FIXED`, 422 `FACTORY-BUDGET-UNCOUNTED`.
 */
export function* updateDeclaration(
  context: PlaneContext,
  actor: Actor,
  input: {
    readonly application: ApplicationId;
    readonly declaration: Digest;
    readonly holdouts?: DeclaredHoldouts;
    readonly expectedVersion?: number | undefined;
  },
): Command<Answer | Unchanged<Answer>> {
  const { tenant } = context;
  const { holdouts = NO_HOLDOUTS } = input;
  const declaration = context.documents.declaration(input.declaration);
  const locked = yield* one(lockApplication({ tenant, application: input.application }));
  if (locked === undefined) throw notFound(`Application ${input.application}`);
  const { now, ...application } = locked;
  const { id, name, definitions_digest: definitions, declaration_digest: from } = application;
  const differs = declarationChanges(context.documents.declaration(from), declaration);
  const set = holdouts.kind === 'new' ? holdouts.sealed.row.digest : undefined;
  const changes = set === undefined ? differs : [...differs, 'scenarios'].toSorted();
  const here = { id: tenant, tenant };
  const asSeconded = { changes, seconded: true };
  permit(context, definitions, actor, now, 'registerApplication', here, `application ${name}`, asSeconded);
  if (declaration.name !== name) {
    throw new Refusal(
      409,
      'FACTORY-NAME-FIXED',
      `The declaration is of "${declaration.name}", and this application is "${name}". A name can't be changed; register another application.`,
    );
  }
  const inForce: Declared = { id, name, declaration: from, approval: null, subject: null };
  if (from === input.declaration && set === undefined)
    return unchanged<Answer>({ answer: inForce, outbox: [], touched: [] });
  if (input.expectedVersion !== undefined && input.expectedVersion !== application.version) {
    throw new Refusal(
      409,
      'FACTORY-VERSION-CHANGED',
      `Application ${name} is at version ${application.version}, not ${input.expectedVersion}. Read it again, and send the update for what it is now.`,
    );
  }
  const scope = openScope(context, now, actor);
  const alone = decide(context, definitions, actor, now, 'registerApplication', here, { changes, seconded: false });
  const digests = { declaration: input.declaration, before: from, holdouts: set ?? null };
  if (!alone.allow) {
    const subject: DeclarationSubject = {
      type: 'declaration',
      application: id,
      requestedBy: actor.principal,
      from,
      to: input.declaration,
      ...(set === undefined ? {} : { holdouts: set }),
      changes,
      policy: alone.policyDigest,
    };
    const proposed = yield* proposeDeclaration(scope, subject);
    const answer: Declared = { ...inForce, approval: proposed.approval, subject: proposed.subject };
    if (!proposed.opened) return unchanged<Answer>({ answer, outbox: [], touched: [] });
    yield* keepReference(scope, application, input.declaration);
    yield* recordHoldouts(id, holdouts);
    const commandId = `${proposed.approval}:propose`;
    const decision = yield* recordDecision(context, alone, {
      actor,
      action: 'registerApplication',
      resource: id,
      now,
      commandId,
    });
    return yield* commit(
      scope,
      {
        stream: id,
        commandId,
        action: 'application.declaration-proposed',
        subjects: { application: id, approval: proposed.approval, decision },
        digests: { ...digests, subject: proposed.subject },
        values: { changes: changes.join(' ') },
      },
      answer,
    );
  }
  yield* closeProposals(scope, id, undefined);
  const to = { from, to: input.declaration, holdouts: set, requestedBy: actor.principal };
  yield* applyDeclaration(scope, locked, to);
  const commandId = `${id}:declare:${application.version}`;
  const decision = yield* recordDecision(context, alone, {
    actor,
    action: 'registerApplication',
    resource: id,
    now,
    commandId,
  });
  yield* recordHoldouts(id, holdouts);
  return yield* commit(
    scope,
    {
      stream: id,
      commandId,
      action: 'application.declared',
      subjects: { application: id, decision },
      digests,
      values: { changes: changes.join(' '), repositories: declaration.repositories.length },
    },
    { ...inForce, declaration: input.declaration },
  );
}
