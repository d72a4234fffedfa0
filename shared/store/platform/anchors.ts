import { sql } from 'kysely';
import { insertRow } from '../row-statements.ts';
import { int, time } from '../schema/column.ts';
import { auditAnchors } from '../schema/tables/audit.ts';
import { defineStatement } from '../statement.ts';

/** Heads that moved at or after a time, of every tenant, oldest first: what the next anchor seals. */
export const auditHeadsSince = defineStatement({
  name: 'platform.auditHeadsSince',
  parameters: { since: time(), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('audit_heads')
      .modifyFront(words.top(p.limit))
      .select(['stream', 'seq', 'hash', 'updated_at'])
      .where('updated_at', '>=', p.since)
      .orderBy('updated_at')
      .orderBy('stream')
      .modifyEnd(words.limit(p.limit)),
});

export const insertAuditAnchor = insertRow('platform.insertAuditAnchor', auditAnchors);

export const lastAuditAnchor = defineStatement({
  name: 'platform.lastAuditAnchor',
  parameters: {},
  build: (db, _p, words) =>
    db
      .selectFrom('audit_anchors')
      .modifyFront(words.top(sql<number>`1`))
      .selectAll()
      .orderBy('sequence', 'desc')
      .modifyEnd(words.limit(sql<number>`1`)),
});

/** Anchors from a sequence on, in order. */
export const auditAnchorsFrom = defineStatement({
  name: 'platform.auditAnchorsFrom',
  parameters: { sequence: auditAnchors.columns.sequence, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('audit_anchors')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('sequence', '>=', p.sequence)
      .orderBy('sequence')
      .modifyEnd(words.limit(p.limit)),
});
