import { artifacts } from '../schema/tables/artifact.ts';
import { auditEvents, auditHeads } from '../schema/tables/audit.ts';
import { defineStatement } from '../statement.ts';

/** The recorded hash of one event of any tenant's stream: whether the database still holds what an anchor sealed. */
export const eventHash = defineStatement({
  name: 'platform.eventHash',
  parameters: { stream: auditEvents.columns.stream, seq: auditEvents.columns.seq },
  build: (db, p) =>
    db.selectFrom('audit_events').select('hash').where('stream', '=', p.stream).where('seq', '=', p.seq),
});

/** Where any tenant's stream is. */
export const headOfStream = defineStatement({
  name: 'platform.headOfStream',
  parameters: { stream: auditHeads.columns.stream },
  build: (db, p) => db.selectFrom('audit_heads').select(['tenant_id', 'seq', 'hash']).where('stream', '=', p.stream),
});

/** The artifact a stored object belongs to, of whatever tenant: only the collection of leftovers asks. That of a closed one is a leftover. */
export const artifactOfObject = defineStatement({
  name: 'platform.artifactOfObject',
  parameters: { object: artifacts.columns.object_id },
  build: (db, p) =>
    db.selectFrom('artifacts').select('digest').where('object_id', '=', p.object).where('closed_at', 'is', null),
});
