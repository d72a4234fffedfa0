import { z } from 'zod';
import type { ApprovalSubject } from '../../../shared/domain/approval/subject.ts';
import type { ApprovalId } from '../../../shared/domain/ids.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import type { RiskTier } from '../../../shared/domain/risk/tier.ts';
import { kinship } from '../../../shared/gates/approval-kinship.ts';
import { decideApproval } from '../../../shared/gates/decide-approval.ts';
import { declarationChange } from '../../../shared/gates/declaration-change.ts';
import type { ResourceOf } from '../../../shared/gates/policy/actions.ts';
import { revokeApproval } from '../../../shared/gates/revoke-approval.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import {
  approvalDecisionsOf,
  findApprovalSubject,
  listOpenApprovals,
  readApproval,
} from '../../../shared/store/approvals/read.ts';
import { type Command, one, rows } from '../../../shared/store/command.ts';
import { verificationsOf } from '../../../shared/store/evidence/records.ts';
import { readInstallation } from '../../../shared/store/installations/installations.ts';
import { nodesByName } from '../../../shared/store/nodes/read.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import type { ApplicationRow, ApprovalRow } from '../../../shared/store/schema/rows.ts';
import type { Plane } from '../plane.ts';
import { approvalSummary, checksOf, renderSubject, summaryOfApproval } from './approval-view.ts';
import { iso } from './render.ts';
import { type Call, ok, route } from './route.ts';

type Around = {
  readonly resource: ResourceOf<'readApproval'>;
  readonly definitions: ApplicationRow['definitions_digest'];
};

/** An approval as policy sees it. */
function* aroundApproval(plane: Plane, approval: ApprovalRow): Command<Around> {
  const { tenant } = plane;
  const request =
    approval.request_id === null ? undefined : yield* one(readRequest({ tenant, request: approval.request_id }));
  const installation =
    approval.installation_id === null
      ? undefined
      : yield* one(readInstallation({ tenant, installation: approval.installation_id }));
  const change = installation ?? (yield* declarationChange(approval));
  const applicationId = request?.application_id ?? change?.application_id;
  const application =
    applicationId === undefined ? undefined : yield* one(readApplication({ tenant, application: applicationId }));
  return {
    definitions: application?.definitions_digest ?? null,
    resource: {
      id: approval.id,
      tenant,
      application: applicationId ?? 'none',
      subject: approval.type,
      tier: (approval.tier ?? 'medium') as RiskTier,
      requestedBy: request?.requested_by ?? change?.requested_by ?? 'unknown',
      ...(yield* kinship(request, change)),
    },
  };
}

/** The approval that the path names, once the caller may read it. */
async function permittedApproval(call: Call<unknown, unknown>): Promise<ApprovalRow> {
  const { plane } = call;
  const id = call.id('approval', 'approval');
  const found = await plane.store.read('approvals.read', function* () {
    const approval = yield* one(readApproval({ tenant: plane.tenant, approval: id }));
    return approval === undefined ? undefined : { approval, around: yield* aroundApproval(plane, approval) };
  });
  if (found === undefined) throw notFound(`Approval ${id}`);
  await call.permit('readApproval', found.around.definitions, found.around.resource, `Approval ${id}`);
  return found.approval;
}

const list = route({
  method: 'GET',
  path: '/approvals',
  name: 'approvals-list',
  summary: 'Approvals that wait for people, oldest first, as far as the caller may see them.',
  access: { kind: 'policy', action: 'readApproval', by: 'route' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(approvalSummary) },
  async handle(call) {
    const { plane, query } = call;
    const after = cursorId('approval', query.cursor);
    // Asked once even when the page is empty, so that the answer stands on a decision.
    await call.allows('readApproval', null, {
      id: 'any',
      tenant: plane.tenant,
      application: 'any',
      subject: 'start',
      tier: 'low',
      requestedBy: 'nobody',
      authoredBy: [],
      delegates: [],
    });
    const found = await plane.store.read('approvals.listOpen', function* () {
      const open = yield* rows(listOpenApprovals({ tenant: plane.tenant, after, limit: query.limit + 1 }));
      const around = [];
      for (const approval of open) around.push({ approval, ...(yield* aroundApproval(plane, approval)) });
      return around;
    });
    const whole = pageOf(
      found,
      query.limit,
      (row) => row.approval.id,
      (row) => row,
    );
    const items: z.infer<typeof approvalSummary>[] = [];
    for (const { approval, definitions, resource } of whole.items)
      if (await call.allows('readApproval', definitions, resource)) items.push(summaryOfApproval(approval));
    return ok(whole.next === undefined ? { items } : { items, next: whole.next });
  },
});

const read = route({
  method: 'GET',
  path: '/approvals/{approval}',
  name: 'approvals-read',
  summary:
    'One approval with its subject rendered from the artifacts it binds: risk, plan, change, checks; at a start gate what was found of the base.',
  access: { kind: 'policy', action: 'readApproval', by: 'route' },
  answers: {
    200: approvalSummary.extend({
      body: z
        .record(z.string(), z.unknown())
        .describe('The subject itself; `subject` is the digest of its canonical JSON'),
      rendered: z.record(z.string(), z.unknown()),
      checks: z.unknown().describe('What the verifier found of the change'),
      baseline: z.unknown().describe('At a start gate: what the verifier found of the base'),
      decisions: z.array(z.object({ by: z.string(), decision: z.string(), reason: z.string(), at: z.iso.datetime() })),
    }),
  },
  async handle(call) {
    const approval = await permittedApproval(call);
    const { plane } = call;
    const { tenant } = plane;
    const found = await plane.look('approvals.render', function* () {
      const stored = yield* one(findApprovalSubject({ tenant, digest: approval.subject_digest }));
      const decisions = yield* rows(approvalDecisionsOf({ tenant, approval: approval.id }));
      const request =
        approval.request_id === null ? undefined : yield* one(readRequest({ tenant, request: approval.request_id }));
      const riskFrom =
        request === undefined
          ? undefined
          : plane.context.documents
              .definitions(request.definitions_digest)
              .lines.get(request.line)
              ?.graph.nodes.get(approval.node ?? '');
      const factsName = riskFrom?.kind === 'gate' ? riskFrom.riskFrom : undefined;
      const names = [approval.node, factsName].filter((name): name is string => typeof name === 'string');
      const nodes =
        request === undefined
          ? []
          : yield* rows(nodesByName({ tenant, request: request.id, names: JSON.stringify(names) }));
      const receipts = request === undefined ? [] : yield* rows(verificationsOf({ tenant, request: request.id }));
      return {
        stored,
        decisions,
        gate: nodes.find((node) => node.name === approval.node),
        facts: nodes.find((node) => node.name === factsName),
        receipts,
      };
    });
    if (found.stored === undefined) throw new Error(`approval ${approval.id} has no subject`);
    const subject = JSON.parse(found.stored.body) as ApprovalSubject;
    const receipt =
      subject.type === 'effect' ? found.receipts.findLast((one) => one.claims_digest === subject.receipt) : undefined;
    const baseline = subject.type === 'start' ? found.receipts.findLast((one) => one.tree === null) : undefined;
    return ok({
      ...summaryOfApproval(approval),
      body: subject,
      rendered: await renderSubject(plane, subject, found),
      checks: receipt === undefined ? null : await checksOf(plane, receipt.artifact_digest),
      baseline: baseline === undefined ? null : await checksOf(plane, baseline.artifact_digest),
      decisions: found.decisions.map((one) => ({
        by: one.principal_id,
        decision: one.decision,
        reason: one.reason,
        at: iso(one.at),
      })),
    });
  },
});

const reason = z.string().trim().min(1).max(LIMITS.approval.reasonLength);

const decide = route({
  method: 'POST',
  path: '/approvals/{approval}/decisions',
  name: 'approvals-decide',
  summary: 'Decides on an approval, naming the digest of the subject that was seen.',
  access: { kind: 'policy', action: 'decideApproval', by: 'command' },
  commits: true,
  body: z.strictObject({
    decision: z.enum(['approve', 'reject']),
    subject: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    reason,
  }),
  answers: { 200: z.object({ approval: z.string(), state: z.string(), approvals: z.int(), required: z.int() }) },
  async handle(call) {
    const approval = await visible(call);
    return ok(
      await call.plane.run('approval.decide', (context) =>
        decideApproval(context, call.actor, { approval, ...call.body }),
      ),
    );
  },
});

const revoke = route({
  method: 'POST',
  path: '/approvals/{approval}/revoke',
  name: 'approvals-revoke',
  summary: 'Takes an approval back; an effect that is not yet intended can no longer use it.',
  access: { kind: 'policy', action: 'revokeApproval', by: 'command' },
  commits: true,
  body: z.strictObject({ reason }),
  answers: { 200: z.object({ approval: z.string(), state: z.literal('revoked') }) },
  async handle(call) {
    const approval = await visible(call);
    return ok(
      await call.plane.run('approval.revoke', (context) =>
        revokeApproval(context, call.actor, approval, call.body.reason),
      ),
    );
  },
});

/** To who may not even read it an approval is not there (404); the command then decides about the rest. */
async function visible(call: Call<unknown, unknown>): Promise<ApprovalId> {
  const { plane, actor } = call;
  const id = call.id('approval', 'approval');
  const found = await plane.store.read('approvals.read', function* () {
    const approval = yield* one(readApproval({ tenant: plane.tenant, approval: id }));
    return approval === undefined ? undefined : yield* aroundApproval(plane, approval);
  });
  const seen = found !== undefined && (await plane.ask(found.definitions, actor, 'readApproval', found.resource)).allow;
  if (!seen) throw notFound(`Approval ${id}`);
  return id;
}

export const approvalRoutes = [list, read, decide, revoke];
