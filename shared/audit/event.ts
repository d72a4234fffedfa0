import { createHash } from 'node:crypto';
import { canonicalJson, type Digest, digestOfBytes } from '../domain/digest.ts';
import type { ApplicationId, TenantId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';

/** One chain of events: an application's, a tenant's (what is of no application), or the plane's own. */
export type AuditStream = ApplicationId | TenantId | 'platform';

export type AuditValue = string | number | boolean | null;

/** What a command did, as it is told to auditors. Digests and ids, never bodies: those live apart, so erasing them never breaks the chain. */
export type AuditEvent = {
  readonly tenantId: TenantId;
  readonly stream: AuditStream;
  /** Unique within the tenant: the backstop against recording one command twice. */
  readonly commandId: string;
  /** Database time, epoch milliseconds. */
  readonly at: number;
  /** Principal id, or `plane` when the plane acts by itself. */
  readonly actor: string;
  /** `<aggregate>.<what happened>`, e.g. `approval.approved`. */
  readonly action: string;
  /** Ids of what it happened to, by kind: `{ request: 'req_…' }`. */
  readonly subjects: Readonly<Record<string, string>>;
  readonly digests?: Readonly<Record<string, Digest>>;
  /** New values of what changed, e.g. `{ state: 'approved' }`. Text over 256 characters is recorded as its digest. */
  readonly changes?: Readonly<Record<string, AuditValue>>;
  /** What an advance did, a short line each; the rest beyond `STEPS` is counted. */
  readonly steps?: readonly string[];
};

/** Text up to this long is a value; longer text is a body. */
const VALUE_LENGTH = 256;

const recorded = (value: AuditValue): AuditValue =>
  typeof value === 'string' && value.length > VALUE_LENGTH ? digestOfBytes(value) : value;

/** Steps told one by one; a fan-out of a thousand is told by its count. */
const STEPS = 40;

const shortened = (steps: readonly string[]): string[] =>
  steps.length <= STEPS
    ? steps.map((step) => step.slice(0, VALUE_LENGTH))
    : [...steps.slice(0, STEPS).map((step) => step.slice(0, VALUE_LENGTH)), `and ${steps.length - STEPS} more`];

/**
 * The bytes of an event: canonical JSON (RFC 8785) with the version of this form. They are stored, hashed and exported exactly
 * as they are. Throws when they exceed LIMITS.audit.eventBytes: an event that large holds bodies.
 */
export function auditBytes(event: AuditEvent, seq: number): string {
  const changes = Object.fromEntries(
    Object.entries(event.changes ?? {}).map(([name, value]) => [name, recorded(value)]),
  );
  const text = canonicalJson({
    v: 1,
    stream: event.stream,
    seq,
    at: new Date(event.at).toISOString(),
    command: event.commandId,
    actor: event.actor,
    action: event.action,
    subjects: event.subjects,
    digests: event.digests ?? {},
    changes,
    ...(event.steps === undefined || event.steps.length === 0 ? {} : { steps: shortened(event.steps) }),
  });
  const size = Buffer.byteLength(text);
  if (size > LIMITS.audit.eventBytes)
    throw new Error(
      `the audit event ${event.action} of command ${event.commandId} has ${size} bytes; at most ${LIMITS.audit.eventBytes} are recorded. Record digests in place of bodies.`,
    );
  return text;
}

/** The hash before a stream's first event: it names the stream, so that no chain can be passed off as another stream's. */
export function genesisHash(stream: string): Digest {
  return digestOfBytes(`factory-audit/v1\n${stream}\n`);
}

/** Hash of an event: sha256 over the 32 raw bytes of the previous hash, then the event's bytes as UTF-8. */
export function chainHash(previous: Digest, bytes: string): Digest {
  const hash = createHash('sha256')
    .update(Buffer.from(previous.slice('sha256:'.length), 'hex'))
    .update(bytes, 'utf8');
  return `sha256:${hash.digest('hex')}` as Digest;
}
