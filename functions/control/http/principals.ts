import { z } from 'zod';
import { addPrincipal } from '../../../shared/access/add-principal.ts';
import { changePrincipal, type RightsChange } from '../../../shared/access/change-principal.ts';
import { delegationChange } from '../../../shared/access/delegation-change.ts';
import { roleChange } from '../../../shared/access/role-change.ts';
import { type PrincipalId, parseId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { ROLES } from '../../../shared/gates/policy/actions.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { delegationsAround } from '../../../shared/store/access/delegations.ts';
import { listPrincipals, readPrincipal } from '../../../shared/store/access/principals.ts';
import { rolesOf } from '../../../shared/store/access/roles.ts';
import { one, rows } from '../../../shared/store/command.ts';
import type { Database } from '../../../shared/store/schema/tables.ts';
import { iso } from './render.ts';
import { type Call, ok, route } from './route.ts';

const summary = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  tid: z.string(),
  oid: z.string(),
  createdAt: z.iso.datetime(),
  links: z.object({ self: z.string() }),
});
const view = summary.extend({
  roles: z.array(z.object({ role: z.string(), application: z.string().nullable() })),
  /** Who acts for them, and for whom they act; ended ones are left out. */
  delegates: z.array(z.string()),
  actsFor: z.array(z.string()),
});

const summaryOf = (row: Readonly<Database['principals']>): z.infer<typeof summary> => ({
  id: row.id,
  name: row.display,
  kind: row.kind,
  tid: row.tid,
  oid: row.oid,
  createdAt: iso(row.created_at),
  links: { self: `/api/v1/principals/${row.id}` },
});

const readAccess = { kind: 'policy', action: 'readPrincipals', by: 'route' } as const;
const permitRead = (call: Call<unknown, unknown>): Promise<void> =>
  call.permit('readPrincipals', null, { id: call.plane.tenant, tenant: call.plane.tenant }, 'The identities');

const add = route({
  method: 'POST',
  path: '/principals',
  name: 'principals-add',
  summary: "Lets an identity of the issuer's tenant call the plane, by its object id; roles are given apart.",
  access: { kind: 'policy', action: 'addPrincipal', by: 'command' },
  commits: true,
  body: z.strictObject({
    oid: z.string().regex(/^[A-Za-z0-9-]{1,128}$/),
    kind: z.enum(['user', 'workload']),
    name: z.string().trim().min(1).max(200),
  }),
  answers: { 201: z.object({ id: z.string(), links: z.object({ self: z.string() }) }) },
  async handle({ plane, actor, body }) {
    const id = await plane.run('principal.add', (context) =>
      addPrincipal(context, actor, { ...body, tid: plane.issuerTenant }),
    );
    const self = `/api/v1/principals/${id}`;
    return { status: 201, json: { id, links: { self } }, headers: { location: self } };
  },
});

const list = route({
  method: 'GET',
  path: '/principals',
  name: 'principals-list',
  summary: 'Identities that may call, oldest first.',
  access: readAccess,
  query: z.strictObject(pageQuery),
  answers: { 200: page(summary) },
  async handle(call) {
    await permitRead(call);
    const { plane, query } = call;
    const after = cursorId('principal', query.cursor);
    const found = await plane.store.read('principals.list', () =>
      rows(listPrincipals({ tenant: plane.tenant, after, limit: query.limit + 1 })),
    );
    return ok(pageOf(found, query.limit, (row) => row.id, summaryOf));
  },
});

const read = route({
  method: 'GET',
  path: '/principals/{principal}',
  name: 'principals-read',
  summary: 'One identity, with its roles and delegations.',
  access: readAccess,
  answers: { 200: view },
  async handle(call) {
    await permitRead(call);
    const { tenant } = call.plane;
    const id = call.id('principal', 'principal');
    const found = await call.plane.store.read('principals.read', function* () {
      const row = yield* one(readPrincipal({ tenant, principal: id }));
      const roles = yield* rows(rolesOf({ tenant, principal: id }));
      // Those in force only: none ends so late.
      const around = delegationsAround({ tenant, principals: JSON.stringify([id]), since: Number.MAX_SAFE_INTEGER });
      return { row, roles, delegations: yield* rows(around) };
    });
    if (found.row === undefined) throw notFound(`Principal ${id}`);
    return ok({
      ...summaryOf(found.row),
      roles: found.roles.map(({ role, application_key: at }) => ({ role, application: at === '' ? null : at })),
      delegates: found.delegations.filter((one) => one.principal_id === id).map((one) => one.delegate_id),
      actsFor: found.delegations.filter((one) => one.delegate_id === id).map((one) => one.principal_id),
    });
  },
});

const changed = z.object({ id: z.string(), changed: z.boolean() });

async function change(call: Call<unknown, unknown>, asked: RightsChange) {
  const id = call.id('principal', 'principal');
  const was = await call.plane.run('principal.change', (context) => changePrincipal(context, call.actor, id, asked));
  call.plane.actors.invalidate();
  return ok({ id, changed: was });
}

const changeAccess = { kind: 'policy', action: 'changePrincipal', by: 'command' } as const;
const roleBody = z.strictObject({ role: z.enum(ROLES), application: z.string().optional() });

function applicationOf({ application }: z.infer<typeof roleBody>) {
  if (application === undefined) return null;
  const id = parseId('application', application);
  if (id === undefined) throw notFound(`Application ${JSON.stringify(application.slice(0, 60))}`);
  return id;
}

const giveRole = route({
  method: 'POST',
  path: '/principals/{principal}/roles',
  name: 'principals-give-role',
  summary: 'Gives a role, in the whole tenant or for one application.',
  access: changeAccess,
  commits: true,
  body: roleBody,
  answers: { 200: changed },
  handle: (call) =>
    change(call, roleChange(call.actor, { role: call.body.role, application: applicationOf(call.body), holds: true })),
});

const withdrawRole = route({
  method: 'POST',
  path: '/principals/{principal}/roles/withdraw',
  name: 'principals-withdraw-role',
  summary: 'Takes a role away; it holds nowhere any more after 5 s.',
  access: changeAccess,
  commits: true,
  body: roleBody,
  answers: { 200: changed },
  handle: (call) =>
    change(call, roleChange(call.actor, { role: call.body.role, application: applicationOf(call.body), holds: false })),
});

const delegateBody = z.strictObject({ delegate: z.string() });

function delegateOf({ delegate }: z.infer<typeof delegateBody>): PrincipalId {
  const id = parseId('principal', delegate);
  if (id === undefined) throw notFound(`Principal ${JSON.stringify(delegate.slice(0, 60))}`);
  return id;
}

const recordDelegate = route({
  method: 'POST',
  path: '/principals/{principal}/delegates',
  name: 'principals-record-delegate',
  summary: 'Records that somebody acts for an identity: neither approves what the other asked for or made.',
  access: changeAccess,
  commits: true,
  body: delegateBody,
  answers: { 200: changed },
  handle: (call) => change(call, delegationChange(call.actor, { delegate: delegateOf(call.body), acts: true })),
});

const endDelegate = route({
  method: 'POST',
  path: '/principals/{principal}/delegates/withdraw',
  name: 'principals-end-delegate',
  summary: 'Ends a delegation; it still counts for what was asked before.',
  access: changeAccess,
  commits: true,
  body: delegateBody,
  answers: { 200: changed },
  handle: (call) => change(call, delegationChange(call.actor, { delegate: delegateOf(call.body), acts: false })),
});

export const principalRoutes = [add, list, read, giveRole, withdrawRole, recordDelegate, endDelegate];
