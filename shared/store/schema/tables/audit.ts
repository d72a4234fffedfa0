import { bigint, digest, id, name, nullable, text, time } from '../column.ts';
import { table } from '../table.ts';

/** The exact stored bytes are hashed and chained; digests inside, bodies elsewhere. */
export const auditEvents = table(
  'audit_events',
  {
    tenant_id: id('tenant'),
    stream: name(100),
    seq: bigint(),
    /** The request it is about, as its subjects say; null for what is about none. */
    request_id: nullable(id('request')),
    command_id: name(200),
    at: time(),
    bytes: text(16 * 1024),
    hash: digest(),
  },
  {
    primaryKey: ['stream', 'seq'],
    indexes: [
      {
        name: 'ux_audit_events_command',
        columns: ['tenant_id', 'command_id'],
        unique: true,
        serves: 'a command leaves one event: the backstop against doing it twice',
      },
      {
        name: 'ix_audit_events_request',
        columns: ['request_id', 'seq'],
        where: 'request_id is not null',
        serves: ['audit.eventsOfRequest'],
      },
    ],
  },
);

/** `hash` is the chain up to `seq`; the row's lock is taken last and serialises the stream. */
export const auditHeads = table(
  'audit_heads',
  { tenant_id: id('tenant'), stream: name(100), seq: bigint(), hash: digest(), updated_at: time() },
  {
    primaryKey: ['stream'],
    indexes: [{ name: 'ix_audit_heads_updated', columns: ['updated_at'], serves: ['platform.auditHeadsSince'] }],
  },
);

/** Sealed audit heads of the whole plane: each names the heads that moved since the one before. */
export const auditAnchors = table(
  'audit_anchors',
  {
    sequence: bigint(),
    document: text(1024 * 1024),
    digest: digest(),
    signature: text(8_000),
    key_id: id('key'),
    object_name: name(200),
    created_at: time(),
  },
  { primaryKey: ['sequence'] },
);
