import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AuditEvent, type AuditStream, auditBytes, chainHash, genesisHash } from '../../shared/audit/event.ts';
import type { AuditRecord } from '../../shared/audit/verify/record.ts';
import { newId } from '../../shared/domain/ids.ts';
import { keyIdOf } from '../../shared/evidence/signing/key-id.ts';
import type { PublicJwk, Signer, SigningPurpose } from '../../shared/evidence/signing/signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';

export const tenantId = newId('tenant', 1);
export const application = newId('application', 1);

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'factory-audit-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

let commands = 0;

export const event = (over: Partial<AuditEvent> = {}): AuditEvent => ({
  tenantId,
  stream: application,
  commandId: `command-${++commands}`,
  at: 1_700_000_000_000 + commands,
  actor: newId('principal', 1),
  action: 'request.accepted',
  subjects: { request: newId('request', commands) },
  changes: { state: 'accepted' },
  ...over,
});

/** A chain of events as they would be exported, made without a database. */
export function chain(length: number, stream: AuditStream = application): AuditRecord[] {
  let previous = genesisHash(stream);
  return Array.from({ length }, (_, index) => {
    const bytes = auditBytes(event({ stream }), index + 1);
    previous = chainHash(previous, bytes);
    return { type: 'event', stream, seq: index + 1, bytes, hash: previous };
  });
}

/** The same bytes chained again, as one who can rewrite the whole database would. */
export function rechained(records: readonly AuditRecord[]): AuditRecord[] {
  let previous = genesisHash(records[0]!.stream);
  return records.map((record, index) => {
    const bytes = JSON.stringify({ ...JSON.parse(record.bytes), seq: index + 1 });
    previous = chainHash(previous, bytes);
    return { ...record, seq: index + 1, bytes, hash: previous };
  });
}

export function testSigner(
  purpose: SigningPurpose = 'anchor',
  createdAt = 1_600_000_000_000,
): Signer & { trust: Trust } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const keyId = keyIdOf(publicJwk, createdAt);
  return {
    keyId,
    purpose,
    publicJwk,
    sign: (bytes) => Promise.resolve(sign('sha256', bytes, key)),
    trust: {
      format: 'factory-trust/v1',
      keys: [{ keyId, purpose, jwk: publicJwk, notBefore: createdAt, notAfter: null }],
    },
  };
}
