import { z } from 'zod';
import { DEFECT_CLASSES } from '../../../shared/domain/defect/defect.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { cursorId, page, pageOf, pageQuery } from '../../../shared/http/page.ts';
import { recordDefect } from '../../../shared/intake/record-defect.ts';
import { rows } from '../../../shared/store/command.ts';
import { defectsOfRequest } from '../../../shared/store/defects/defects.ts';
import { iso } from './render.ts';
import { permittedRequest } from './request-access.ts';
import { ok, route } from './route.ts';

const recorded = z.object({
  id: z.string(),
  request: z.string(),
  class: z.enum(DEFECT_CLASSES),
  signature: z.string(),
});

const record = route({
  method: 'POST',
  path: '/requests/{request}/defects',
  name: 'requests-defect',
  summary: 'Records that the delivered change was at fault; the same by the same person is recorded once.',
  access: { kind: 'policy', action: 'recordDefect', by: 'route' },
  commits: true,
  body: z.strictObject({
    class: z.enum(DEFECT_CLASSES),
    summary: z.string().trim().min(1).max(LIMITS.defect.summaryLength),
  }),
  answers: { 200: recorded },
  async handle(call) {
    const { row } = await permittedRequest(call, 'recordDefect');
    return ok(
      await call.plane.run('request.defect', (context) => recordDefect(context, call.actor, row.id, call.body)),
    );
  },
});

const defect = z.object({
  id: z.string(),
  class: z.enum(DEFECT_CLASSES),
  signature: z.string(),
  summary: z.string(),
  recordedBy: z.string(),
  recordedAt: z.iso.datetime(),
});

const list = route({
  method: 'GET',
  path: '/requests/{request}/defects',
  name: 'requests-defects',
  summary: 'What was found wrong with the delivered change, oldest first.',
  access: { kind: 'policy', action: 'readRequest', by: 'route' },
  query: z.strictObject(pageQuery),
  answers: { 200: page(defect) },
  async handle(call) {
    const { row } = await permittedRequest(call, 'readRequest');
    const { limit, cursor } = call.query;
    const after = cursorId('defect', cursor);
    const found = await call.plane.store.read('defects.ofRequest', () =>
      rows(defectsOfRequest({ tenant: row.tenant_id, request: row.id, after, limit: limit + 1 })),
    );
    return ok(
      pageOf(
        found,
        limit,
        (one) => one.id,
        (one) => ({
          id: one.id,
          class: one.class,
          signature: one.signature,
          summary: one.summary,
          recordedBy: one.principal_id,
          recordedAt: iso(one.recorded_at),
        }),
      ),
    );
  },
});

export const requestDefectRoutes = [record, list];
