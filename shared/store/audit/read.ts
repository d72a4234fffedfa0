import { int } from '../schema/column.ts';
import { auditEvents } from '../schema/tables/audit.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, stream, seq, request_id } = auditEvents.columns;

/** Events of a stream from a sequence number on, in order. */
export const readAuditEvents = defineStatement({
  name: 'audit.readEvents',
  parameters: { tenant, stream, from: seq, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('audit_events')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('stream', '=', p.stream)
      .where('tenant_id', '=', p.tenant)
      .where('seq', '>=', p.from)
      .orderBy('seq')
      .modifyEnd(words.limit(p.limit)),
});

/** A page of the events that are about a request, in order, after the sequence number given (0 at the start): all of them are in its application's stream. */
export const eventsOfRequest = defineStatement({
  name: 'audit.eventsOfRequest',
  parameters: { tenant, request: request_id, after: seq, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('audit_events')
      .modifyFront(words.top(p.limit))
      .select(['seq', 'bytes'])
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where('seq', '>', p.after)
      .orderBy('seq')
      .modifyEnd(words.limit(p.limit)),
});
