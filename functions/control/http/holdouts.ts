import { z } from 'zod';
import { notFound } from '../../../shared/domain/refusal.ts';
import { seesHoldoutsOf } from '../../../shared/gates/holdout-rights.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { holdoutReportsOf, holdoutsOfRequest } from '../../../shared/store/holdouts/of-request.ts';
import { holdoutsOfApplication } from '../../../shared/store/holdouts/sets.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import { permittedApplication } from './applications.ts';
import { iso, isoOrNull } from './render.ts';
import { ok, route } from './route.ts';

/** An application has few sets; older ones are in its audit stream. */
const SHOWN = 100;

const set = z.object({
  digest: z.string(),
  submittedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  link: z.string(),
});

const link = (digest: string): string => `/api/v1/artifacts/${digest}`;

const ofApplication = route({
  method: 'GET',
  path: '/applications/{application}/holdouts',
  name: 'applications-holdouts',
  summary:
    'The sets of hidden scenarios that an application had, by digest, newest first. For its policy owners, who may read them, and auditors, who may not.',
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  answers: { 200: z.object({ items: z.array(set) }), 404: 'Not yours to know of' },
  async handle(call) {
    const { row } = await permittedApplication(call, 'readApplication');
    if (!seesHoldoutsOf(call.actor, row.id)) throw notFound(`The hidden scenarios of application ${row.id}`);
    const found = await call.plane.store.read('holdouts.ofApplication', () =>
      rows(holdoutsOfApplication({ tenant: row.tenant_id, application: row.id })),
    );
    return ok({
      items: found.slice(0, SHOWN).map(({ digest, submitted_at, ended_at }) => ({
        digest,
        submittedAt: iso(submitted_at),
        endedAt: isoOrNull(ended_at),
        link: link(digest),
      })),
    });
  },
});

const ofRequest = route({
  method: 'GET',
  path: '/requests/{request}/holdouts',
  name: 'requests-holdouts',
  summary:
    'Which hidden scenarios a change was judged by, and the reports of their runs, by digest. For policy owners of its application and auditors.',
  access: { kind: 'policy', action: 'readApplication', by: 'route' },
  answers: {
    200: z.object({
      holdouts: z.string().nullable(),
      reports: z.array(z.object({ job: z.string(), epoch: z.int(), digest: z.string(), link: z.string() })),
    }),
    404: 'Not yours to know of',
  },
  async handle(call) {
    const { tenant, store } = call.plane;
    const of = { tenant, request: call.id('request', 'request') };
    const found = await store.read('holdouts.ofRequest', function* () {
      const row = yield* one(readRequest(of));
      if (row === undefined) return undefined;
      const application = yield* one(readApplication({ tenant, application: row.application_id }));
      const reports = yield* rows(holdoutReportsOf(of));
      return { row, application, pinned: yield* one(holdoutsOfRequest(of)), reports };
    });
    const what = `The hidden scenarios of request ${of.request}`;
    if (found === undefined || !seesHoldoutsOf(call.actor, found.row.application_id)) throw notFound(what);
    const resource = { id: found.row.application_id, tenant };
    await call.permit('readApplication', found.application?.definitions_digest ?? null, resource, what);
    return ok({
      holdouts: found.pinned?.digest ?? null,
      reports: found.reports.map(({ job, epoch, digest }) => ({ job, epoch, digest, link: link(digest) })),
    });
  },
});

export const holdoutRoutes = [ofApplication, ofRequest];
