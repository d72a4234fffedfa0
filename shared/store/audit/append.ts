import { sql } from 'kysely';
import { insertRow, insertRowIfAbsent } from '../row-statements.ts';
import { auditEvents, auditHeads } from '../schema/tables/audit.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, stream, seq, hash } = auditHeads.columns;

/** A stream begins at sequence 0 with the hash of its name. `write` answers 0 when it has begun. */
export const openAuditHead = insertRowIfAbsent('audit.openHead', auditHeads, 'audit_head');

/** Takes the next sequence number and answers it with the hash of the event before. Locks the stream to the end of the transaction: the last of all locks. */
export const nextAuditSeq = defineStatement({
  name: 'audit.nextSeq',
  locks: 'audit_head',
  parameters: { tenant, stream },
  build: (_db, p, words) =>
    sql<
      Pick<Database['audit_heads'], 'seq' | 'hash'>
    >`update audit_heads set seq = seq + 1 ${words.output('seq', 'hash')} where stream = ${p.stream} and tenant_id = ${p.tenant} ${words.returning('seq', 'hash')}`,
});

export const insertAuditEvent = insertRow('audit.insertEvent', auditEvents, 'audit_head');

/** The chain's hash up to the event just written under `seq`. */
export const setAuditHead = defineStatement({
  name: 'audit.setHead',
  locks: 'audit_head',
  parameters: { tenant, stream, seq, hash },
  build: (_db, p, words) =>
    sql<never>`update audit_heads set hash = ${p.hash}, updated_at = ${words.now} where stream = ${p.stream} and tenant_id = ${p.tenant} and seq = ${p.seq}`,
});
