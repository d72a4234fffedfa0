import { bigint, digest, flag, id, int, name, nullable, oneOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const ENCODINGS = ['identity', 'zstd', 'delta'] as const;
export const RETENTION_CLASSES = ['standard', 'evidence', 'transient'] as const;
export const OWNER_TYPES = ['request', 'job', 'application', 'installation', 'definitions', 'tenant'] as const;
export const UPLOAD_STATES = ['open', 'complete', 'abandoned'] as const;

/** Bytes of a tenant, named by the digest of their plaintext; the row decides which stored object is the one. */
export const artifacts = table(
  'artifacts',
  {
    tenant_id: id('tenant'),
    digest: digest(),
    size: bigint(),
    media_type: name(100),
    object_id: id('object'),
    /** Base64 of the data key, wrapped by the key of `key_version`. */
    wrapped_key: text(2_000),
    key_version: name(200),
    retention_class: oneOf(RETENTION_CLASSES),
    legal_hold: flag(),
    base_digest: nullable(digest()),
    stored_bytes: bigint(),
    encoding: oneOf(ENCODINGS),
    created_at: time(),
    /** When its bytes were given up for good: the key is gone, and the object with it. */
    closed_at: nullable(time()),
  },
  {
    primaryKey: ['tenant_id', 'digest'],
    indexes: [
      {
        name: 'ux_artifacts_object',
        columns: ['object_id'],
        unique: true,
        serves: 'an object belongs to one artifact',
      },
    ],
  },
);

/** Who keeps an artifact alive, as what, under which name. */
export const artifactReferences = table(
  'artifact_references',
  {
    tenant_id: id('tenant'),
    digest: digest(),
    kind: name(32),
    owner_type: oneOf(OWNER_TYPES),
    owner_id: name(71),
    name: name(64),
    created_at: time(),
  },
  {
    primaryKey: ['tenant_id', 'owner_type', 'owner_id', 'kind', 'name', 'digest'],
    indexes: [
      { name: 'ix_artifact_references_digest', columns: ['tenant_id', 'digest'], serves: ['artifacts.referencesTo'] },
    ],
  },
);

export const uploads = table(
  'uploads',
  {
    id: id('upload'),
    tenant_id: id('tenant'),
    job_id: id('job'),
    epoch: int(),
    digest: digest(),
    kind: name(32),
    media_type: name(100),
    size: bigint(),
    received: bigint(),
    object_id: id('object'),
    state: oneOf(UPLOAD_STATES),
    created_at: time(),
    expires_at: time(),
  },
  {
    indexes: [
      {
        name: 'ux_uploads_digest',
        columns: ['job_id', 'epoch', 'digest', 'kind'],
        unique: true,
        serves: ['uploads.ofJob'],
      },
    ],
    references: { job_id: 'jobs' },
  },
);
