import { z } from 'zod';
import { type DeclaredHoldouts, keepHoldouts } from '../../../shared/applications/holdouts/keep.ts';
import { keepDeclaration } from '../../../shared/applications/keep-declaration.ts';
import { registerApplication } from '../../../shared/applications/register.ts';
import { updateDeclaration } from '../../../shared/applications/update-declaration.ts';
import { applicationDeclaration } from '../../../shared/domain/application/declaration.ts';
import { percentUsed } from '../../../shared/domain/cost/budget.ts';
import { formatMoney } from '../../../shared/domain/cost/money.ts';
import { monthOf } from '../../../shared/domain/cost/month.ts';
import type { Digest } from '../../../shared/domain/digest.ts';
import type { TenantId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { forbidden } from '../../../shared/gates/policy-decision.ts';
import { entityTag, hasCurrent } from '../../../shared/http/etag.ts';
import { page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import {
  applicationByName,
  listApplications,
  readApplication,
} from '../../../shared/store/applications/applications.ts';
import { repositoriesOf } from '../../../shared/store/applications/repositories.ts';
import { type Command, one, rows } from '../../../shared/store/command.ts';
import { budgetUseOf } from '../../../shared/store/costs/budgets.ts';
import { monthlyCostsOf } from '../../../shared/store/costs/monthly.ts';
import { currentHoldouts } from '../../../shared/store/holdouts/sets.ts';
import { databaseTime } from '../../../shared/store/platform/database-time.ts';
import type { ApplicationRow } from '../../../shared/store/schema/rows.ts';
import { money, moneyOf } from './money-view.ts';
import { iso, recorded } from './render.ts';
import { type Call, ok, route } from './route.ts';

const summary = z.object({
  id: z.string(),
  name: z.string(),
  declaration: z.string(),
  definitions: z.string().nullable(),
  version: z.int(),
  createdAt: z.iso.datetime(),
  links: z.record(z.string(), z.string()),
});
const view = summary.extend({
  lines: z.record(z.string(), z.string()),
  repositories: z.array(z.object({ name: z.string(), codeHost: z.string(), defaultBranch: z.string() })),
  /** What it spent this month (by UTC), and what it may spend. */
  costs: z.object({
    /** Version of the prices in force; null where nothing costs anything. */
    prices: z.string().nullable(),
    month: z.string(),
    spent: z.array(money),
    budget: z.object({ monthly: z.string(), currency: z.string(), usedPercent: z.number() }).nullable(),
  }),
});

const summaryOf = (row: ApplicationRow): z.infer<typeof summary> => ({
  id: row.id,
  name: row.name,
  declaration: row.declaration_digest,
  definitions: row.definitions_digest,
  version: row.version,
  createdAt: iso(row.created_at),
  links: {
    self: `/api/v1/applications/${row.id}`,
    declaration: `/api/v1/artifacts/${row.declaration_digest}`,
    installations: `/api/v1/applications/${row.id}/installations`,
  },
});

type Declaring = Call<z.infer<typeof applicationDeclaration>, unknown>;
type Kept = { readonly declaration: Digest; readonly holdouts: DeclaredHoldouts };

/**
 * Keeps the declaration of the body, and apart from it its scenarios, once policy lets the caller change applications at all. `known` is the
 * application that it is of, when there is one.
 */
async function keepDeclared(
  call: Declaring,
  known: (tenant: TenantId) => Command<ApplicationRow | undefined>,
): Promise<Kept> {
  const { plane, actor } = call;
  const decision = await plane.ask(null, actor, 'registerApplication', { id: plane.tenant, tenant: plane.tenant });
  if (!decision.allow) throw forbidden(decision, 'registerApplication', 'applications');
  const current = await plane.store.read('holdouts.current', function* () {
    const application = yield* known(plane.tenant);
    if (application === undefined) return undefined;
    return (yield* one(currentHoldouts({ tenant: plane.tenant, application: application.id })))?.digest;
  });
  return {
    holdouts: await keepHoldouts(plane.artifacts, call.body, current),
    declaration: await keepDeclaration(plane.artifacts, call.body),
  };
}

const registered = z.object({ id: z.string(), name: z.string(), declaration: z.string() });
const declared = registered.extend({
  declaration: z.string().describe('Digest of the declaration in force'),
  approval: z.string().nullable().describe('What waits for a second person before the new declaration is in force'),
  subject: z.string().nullable().describe('Digest that the second person decides on'),
});

const register = route({
  method: 'POST',
  path: '/applications',
  name: 'applications-register',
  summary: 'Registers an application by its declaration.',
  access: { kind: 'policy', action: 'registerApplication', by: 'command' },
  commits: true,
  body: applicationDeclaration as z.ZodType<z.infer<typeof applicationDeclaration>>,
  answers: { 201: registered },
  async handle(call) {
    const { name } = call.body;
    const { declaration, holdouts } = await keepDeclared(call, (tenant) => one(applicationByName({ tenant, name })));
    const answer = await call.plane.run('application.register', (context) =>
      registerApplication(context, call.actor, declaration, holdouts),
    );
    return { status: 201, json: answer, headers: { location: `/api/v1/applications/${answer.id}` } };
  },
});

const declare = route({
  method: 'PUT',
  path: '/applications/{application}',
  name: 'applications-declare',
  summary:
    'Gives an application a new declaration; `If-Match` guards against overwriting a change not seen. 202: it waits for the approval of a second person.',
  access: { kind: 'policy', action: 'registerApplication', by: 'command' },
  commits: true,
  headers: { 'If-Match': { required: false, description: 'Entity tag of the version the change was made against' } },
  body: applicationDeclaration as z.ZodType<z.infer<typeof applicationDeclaration>>,
  answers: { 200: declared, 202: declared, 409: 'It was changed meanwhile' },
  async handle(call) {
    const id = call.id('application', 'application');
    const expected = /\.(\d{1,9})"$/.exec(call.headers.get('if-match') ?? '')?.[1];
    const kept = await keepDeclared(call, (tenant) => one(readApplication({ tenant, application: id })));
    const answer = await call.plane.run('application.declare', (context) =>
      updateDeclaration(context, call.actor, {
        application: id,
        ...kept,
        expectedVersion: expected === undefined ? undefined : Number(expected),
      }),
    );
    if (answer.approval === null) return ok(answer);
    return { status: 202, json: answer, headers: { location: `/api/v1/approvals/${answer.approval}` } };
  },
});

const list = route({
  method: 'GET',
  path: '/applications',
  name: 'applications-list',
  summary: 'Applications by name, as far as the caller may see them.',
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  query: z.strictObject({ ...pageQuery, name: z.string().max(100).optional() }),
  answers: { 200: page(summary) },
  async handle(call) {
    const { plane, query } = call;
    await call.allows('readApplication', null, { id: 'any', tenant: plane.tenant });
    const found = await plane.store.read('applications.list', () =>
      rows(listApplications({ tenant: plane.tenant, after: query.cursor ?? '', limit: query.limit + 1 })),
    );
    const whole = pageOf(
      found,
      query.limit,
      (row) => row.name,
      (row) => row,
    );
    const items: z.infer<typeof summary>[] = [];
    for (const row of whole.items) {
      if (query.name !== undefined && row.name !== query.name) continue;
      if (await call.allows('readApplication', row.definitions_digest, { id: row.id, tenant: row.tenant_id }))
        items.push(summaryOf(row));
    }
    return ok(whole.next === undefined ? { items } : { items, next: whole.next });
  },
});

const read = route({
  method: 'GET',
  path: '/applications/{application}',
  name: 'applications-read',
  summary: 'One application, with its repositories and installed product lines.',
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  answers: { 200: view, 304: 'Not modified' },
  async handle(call) {
    const { row, repositories } = await permittedApplication(call, 'readApplication');
    const costs = await costsThisMonth(call, row);
    // The version comes last: it is what `If-Match` is compared with.
    const tag = entityTag(row.id, costs.month, ...costs.spent.map(({ amount }) => amount), row.version);
    if (hasCurrent(call.headers, tag)) return { status: 304, headers: { etag: tag } };
    return ok(
      {
        ...summaryOf(row),
        lines: recorded<Record<string, string>>(row.installed_line_digests) ?? {},
        repositories: repositories.map((repository) => ({
          name: repository.name,
          codeHost: repository.code_host,
          defaultBranch: repository.default_branch,
        })),
        costs,
      },
      { etag: tag, 'cache-control': 'private, no-cache' },
    );
  },
});

async function costsThisMonth(
  { plane }: Call<unknown, unknown>,
  { id, tenant_id: tenant }: ApplicationRow,
): Promise<z.infer<typeof view>['costs']> {
  return await plane.store.read('applications.costs', function* () {
    const month = monthOf(yield* databaseTime());
    const budget = yield* one(budgetUseOf({ tenant, application: id, month }));
    return {
      prices: plane.settings.prices?.version ?? null,
      month,
      spent: (yield* rows(monthlyCostsOf({ tenant, application: id, month }))).map(moneyOf),
      budget:
        budget === undefined
          ? null
          : {
              monthly: formatMoney(budget.monthly),
              currency: budget.currency,
              usedPercent: Math.round(percentUsed({ monthly: budget.monthly, spent: budget.amount }) * 10) / 10,
            },
    };
  });
}

/** The application that the path names, once policy permits the action on it. */
export async function permittedApplication(
  call: Call<unknown, unknown>,
  action: 'readApplication' | 'planInstallation',
) {
  const { plane } = call;
  const id = call.id('application', 'application');
  const found = await plane.store.read('applications.read', function* () {
    const row = yield* one(readApplication({ tenant: plane.tenant, application: id }));
    return {
      row,
      repositories: row === undefined ? [] : yield* rows(repositoriesOf({ tenant: plane.tenant, application: id })),
    };
  });
  if (found.row === undefined) throw notFound(`Application ${id}`);
  await call.permit(action, found.row.definitions_digest, { id, tenant: found.row.tenant_id }, `Application ${id}`);
  return { row: found.row, repositories: found.repositories };
}

export const applicationRoutes = [register, declare, list, read];
