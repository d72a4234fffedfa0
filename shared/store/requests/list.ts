import { sql } from 'kysely';
import type { RequestId } from '../../domain/ids.ts';
import { int, nullable } from '../schema/column.ts';
import { requests } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

const { id, tenant_id, application_id, session_id, state, requested_by } = requests.columns;

/** A page of requests, newest first, before the one named by `before`; a filter that is null lets all pass. */
export const listRequests = defineStatement({
  name: 'requests.list',
  parameters: {
    tenant: tenant_id,
    before: nullable(id),
    application: nullable(application_id),
    session: session_id,
    state: nullable(state),
    requestedBy: nullable(requested_by),
    limit: int(),
  },
  build: (db, p, words) =>
    db
      .selectFrom('requests')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('id', '<', sql<RequestId>`coalesce(${p.before}, '~')`)
      .where(sql<boolean>`(${p.application} is null or application_id = ${p.application})`)
      .where(sql<boolean>`(${p.session} is null or session_id = ${p.session})`)
      .where(sql<boolean>`(${p.state} is null or state = ${p.state})`)
      .where(sql<boolean>`(${p.requestedBy} is null or requested_by = ${p.requestedBy})`)
      .orderBy('id', 'desc')
      .modifyEnd(words.limit(p.limit)),
});
