import type { Digest } from '../domain/digest.ts';
import { parseId } from '../domain/ids.ts';
import { insertAuditEvent, nextAuditSeq, openAuditHead, setAuditHead } from '../store/audit/append.ts';
import { type Command, one, write, writeOne } from '../store/command.ts';
import { type AuditEvent, auditBytes, chainHash, genesisHash } from './event.ts';

/**
 * Appends an event to its stream, as part of the transaction whose change it tells of. The head row is the last lock in the lock order:
 * call this after every other write, and for two streams in the order of their names. Three statements; five for a stream's first event.
 */
export function* appendAudit(event: AuditEvent): Command<{ readonly seq: number; readonly hash: Digest }> {
  const { tenantId: tenant, stream, commandId, at } = event;
  let place = yield* one(nextAuditSeq({ tenant, stream }));
  if (place === undefined) {
    yield* write(openAuditHead({ tenant_id: tenant, stream, seq: 0, hash: genesisHash(stream), updated_at: at }));
    place = yield* one(nextAuditSeq({ tenant, stream }));
  }
  if (place === undefined) throw new Error(`audit stream ${stream} belongs to another tenant than ${tenant}`);
  const { seq, hash: previous } = place;
  const bytes = auditBytes(event, seq);
  const hash = chainHash(previous, bytes);
  const request = parseId('request', event.subjects['request'] ?? '') ?? null;
  yield* writeOne(
    insertAuditEvent({ tenant_id: tenant, stream, seq, request_id: request, command_id: commandId, at, bytes, hash }),
  );
  yield* writeOne(setAuditHead({ tenant, stream, seq, hash }));
  return { seq, hash };
}
