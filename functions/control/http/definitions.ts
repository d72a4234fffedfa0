import { z } from 'zod';
import { BUNDLE_LIMITS, bundleOf } from '../../../shared/definitions/bundle.ts';
import { keepBundle, publishDefinitions } from '../../../shared/definitions/publish.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { forbidden } from '../../../shared/gates/policy-decision.ts';
import { page } from '../../../shared/http/page.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { listDefinitions, readDefinitions } from '../../../shared/store/installations/definitions.ts';
import type { Database } from '../../../shared/store/schema/tables.ts';
import { iso, recorded } from './render.ts';
import { type Call, ok, route } from './route.ts';

const definition = z.object({
  digest: z.string(),
  version: z.string(),
  policy: z.string(),
  lines: z.record(z.string(), z.string()),
  publishedBy: z.string(),
  publishedAt: z.iso.datetime(),
  links: z.object({ bundle: z.string() }),
});

const render = (row: Readonly<Database['definitions']>): z.infer<typeof definition> => ({
  digest: row.digest,
  version: row.version,
  policy: row.policy_digest,
  lines: recorded<Record<string, string>>(row.line_digests) ?? {},
  publishedBy: row.installed_by,
  publishedAt: iso(row.created_at),
  links: { bundle: `/api/v1/artifacts/${row.digest}` },
});

const publish = route({
  method: 'POST',
  path: '/definitions',
  name: 'definitions-publish',
  summary: 'Publishes a definitions bundle: {files: {path: text}}. It holds nowhere until it is installed.',
  access: { kind: 'policy', action: 'publishDefinitions', by: 'command' },
  commits: true,
  body: z.strictObject({ files: z.record(z.string().max(400), z.string().max(BUNDLE_LIMITS.fileBytes)) }),
  answers: { 201: z.object({ digest: z.string(), version: z.string(), lines: z.array(z.string()) }) },
  async handle(call) {
    const { plane, actor, body } = call;
    const bundle = bundleOf(Object.entries(body.files));
    const decision = await plane.ask(null, actor, 'publishDefinitions', { id: bundle.digest, tenant: plane.tenant });
    if (!decision.allow) throw forbidden(decision, 'publishDefinitions', `the definitions ${bundle.digest}`);
    const digest = await keepBundle(plane.artifacts, bundle);
    const published = await plane.run('definitions.publish', (context) => publishDefinitions(context, actor, digest));
    return { status: 201, json: published, headers: { location: `/api/v1/definitions/${digest}` } };
  },
});

const readAccess = { kind: 'policy', action: 'readDefinitions', by: 'route' } as const;

const permitRead = (call: Call<unknown, unknown>): Promise<void> =>
  call.permit('readDefinitions', null, { id: call.plane.tenant, tenant: call.plane.tenant }, 'The definitions');

const list = route({
  method: 'GET',
  path: '/definitions',
  name: 'definitions-list',
  summary: 'Published bundles, newest first, at most a page.',
  access: readAccess,
  answers: { 200: page(definition) },
  async handle(call) {
    await permitRead(call);
    const { plane } = call;
    const found = await plane.store.read('definitions.list', () =>
      rows(listDefinitions({ tenant: plane.tenant, limit: LIMITS.http.pageItems })),
    );
    return ok({ items: found.map(render) });
  },
});

const read = route({
  method: 'GET',
  path: '/definitions/{digest}',
  name: 'definitions-read',
  summary: 'One published bundle.',
  access: readAccess,
  answers: { 200: definition },
  async handle(call) {
    await permitRead(call);
    const digest = call.digest('digest');
    const row = await call.plane.store.read('definitions.read', () =>
      one(readDefinitions({ tenant: call.plane.tenant, digest })),
    );
    if (row === undefined) throw notFound(`The definitions ${digest}`);
    return ok(render(row));
  },
});

export const definitionRoutes = [publish, list, read];
