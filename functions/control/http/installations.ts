import { z } from 'zod';
import { keepInstallPlan } from '../../../shared/definitions/install-plan.ts';
import { readInstallationStatus } from '../../../shared/definitions/installation-status.ts';
import { planInstallation } from '../../../shared/definitions/plan-installation.ts';
import { parseDigest } from '../../../shared/domain/digest.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { delegatesOf } from '../../../shared/gates/delegates.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { approvalsOfInstallation } from '../../../shared/store/approvals/read.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { readDefinitions } from '../../../shared/store/installations/definitions.ts';
import { listInstallations, readInstallation } from '../../../shared/store/installations/installations.ts';
import type { InstallationRow } from '../../../shared/store/schema/rows.ts';
import { permittedApplication } from './applications.ts';
import { approvalSummary, summaryOfApproval } from './approval-view.ts';
import { iso, isoOrNull } from './render.ts';
import { ok, route } from './route.ts';

const summary = z.object({
  id: z.string(),
  application: z.string(),
  state: z.string(),
  definitions: z.string(),
  plan: z.string(),
  plannedBy: z.string(),
  failure: z.string().nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  links: z.object({ self: z.string(), plan: z.string() }),
});

const render = (row: InstallationRow): z.infer<typeof summary> => ({
  id: row.id,
  application: row.application_id,
  state: row.state,
  definitions: row.definitions_digest,
  plan: row.plan_digest,
  plannedBy: row.requested_by,
  failure: row.failure,
  createdAt: iso(row.created_at),
  finishedAt: isoOrNull(row.finished_at),
  links: { self: `/api/v1/installations/${row.id}`, plan: `/api/v1/artifacts/${row.plan_digest}` },
});

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const plan = route({
  method: 'POST',
  path: '/applications/{application}/installations',
  name: 'installations-plan',
  summary:
    'Plans the installation of a published bundle; a policy owner then decides on its approval, and it is applied.',
  access: { kind: 'policy', action: 'planInstallation', by: 'route' },
  commits: true,
  body: z.strictObject({ definitions: digest }),
  answers: {
    202: z.object({
      id: z.string(),
      state: z.string(),
      plan: z.string(),
      approval: z.string().nullable(),
      subject: z.string().nullable(),
    }),
  },
  async handle(call) {
    const { plane, actor, body } = call;
    const { row } = await permittedApplication(call, 'planInstallation');
    const wanted = parseDigest(body.definitions);
    const published =
      wanted === undefined
        ? undefined
        : await plane.store.read('definitions.read', () =>
            one(readDefinitions({ tenant: plane.tenant, digest: wanted })),
          );
    if (wanted === undefined || published === undefined)
      throw notFound(`The published definitions ${body.definitions}`);
    const made = await keepInstallPlan(plane.artifacts, row.definitions_digest, wanted);
    const planned = await plane.run('installation.plan', (context) =>
      planInstallation(context, actor, { application: row.id, plan: made }),
    );
    return {
      status: 202,
      json: planned,
      headers: { location: `/api/v1/installations/${planned.id}`, 'retry-after': '1' },
    };
  },
});

const list = route({
  method: 'GET',
  path: '/applications/{application}/installations',
  name: 'installations-list',
  summary: "An application's installations, newest first.",
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(summary) },
  async handle(call) {
    const { plane, query } = call;
    const { row } = await permittedApplication(call, 'readApplication');
    const before = cursorId('installation', query.cursor);
    const found = await plane.store.read('installations.list', () =>
      rows(listInstallations({ tenant: plane.tenant, application: row.id, before, limit: query.limit + 1 })),
    );
    return ok(pageOf(found, query.limit, (one) => one.id, render));
  },
});

const drift = z.object({ drifted: z.boolean(), because: z.string().optional() }).nullable();

const status = route({
  method: 'GET',
  path: '/applications/{application}/installation',
  name: 'installations-status',
  summary:
    'What is in force on an application, what is on its way, and drift; ?definitions= compares a bundle with what is in force.',
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  query: z.strictObject({ definitions: digest.optional() }),
  answers: {
    200: z.object({
      application: z.string(),
      inForce: z.record(z.string(), z.unknown()).nullable(),
      applied: z.record(z.string(), z.unknown()).nullable(),
      pending: z.record(z.string(), z.unknown()).nullable(),
      asked: drift,
    }),
  },
  async handle(call) {
    const { plane, query } = call;
    const { row } = await permittedApplication(call, 'readApplication');
    const asked = query.definitions === undefined ? undefined : parseDigest(query.definitions);
    return ok(await plane.look('installations.status', () => readInstallationStatus(plane.context, row.id, asked)));
  },
});

const read = route({
  method: 'GET',
  path: '/installations/{installation}',
  name: 'installations-read',
  summary: 'One installation, with its approvals.',
  access: { kind: 'policy', action: 'readInstallation', by: 'route' },
  answers: { 200: summary.extend({ approvals: z.array(approvalSummary) }) },
  async handle(call) {
    const { plane } = call;
    const { tenant } = plane;
    const id = call.id('installation', 'installation');
    const found = await plane.store.read('installations.read', function* () {
      const row = yield* one(readInstallation({ tenant, installation: id }));
      if (row === undefined) return undefined;
      const application = yield* one(readApplication({ tenant, application: row.application_id }));
      return {
        row,
        application,
        approvals: yield* rows(approvalsOfInstallation({ tenant, installation: id })),
        delegates: yield* delegatesOf(tenant, [row.requested_by], row.created_at),
      };
    });
    if (found === undefined) throw notFound(`Installation ${id}`);
    const { row, application, approvals, delegates } = found;
    const approved = approvals.some((approval) => approval.state === 'approved');
    await call.permit(
      'readInstallation',
      application?.definitions_digest ?? null,
      { id, tenant, application: row.application_id, plannedBy: row.requested_by, delegates, approved },
      `Installation ${id}`,
    );
    return ok({ ...render(row), approvals: approvals.map(summaryOfApproval) });
  },
});

export const installationRoutes = [plan, list, status, read];
