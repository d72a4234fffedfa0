import { bigint, digest, id, int, name, nullable, oneOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const BUNDLE_KINDS = ['change_evidence', 'evidence_bundle'] as const;
export const KEY_STATES = ['active', 'retired'] as const;

/** A verifier's receipt for one tree. */
export const verifications = table(
  'verifications',
  {
    id: id('verification'),
    tenant_id: id('tenant'),
    request_id: id('request'),
    node_id: id('node'),
    job_id: id('job'),
    epoch: int(),
    principal_id: id('principal'),
    tree: nullable(digest()),
    /** Digest of the claims (tree, checks, results), not of its times. */
    claims_digest: digest(),
    result: name(64),
    artifact_digest: digest(),
    created_at: time(),
  },
  {
    indexes: [
      {
        name: 'ux_verifications_job',
        columns: ['job_id', 'epoch'],
        unique: true,
        serves: 'a job gives one receipt an epoch',
      },
      { name: 'ix_verifications_request', columns: ['request_id', 'id'], serves: ['verifications.list'] },
    ],
  },
);

export const findings = table('findings', {
  id: id('finding'),
  tenant_id: id('tenant'),
  request_id: id('request'),
  job_id: id('job'),
  severity: name(16),
  location: text(600),
  message: text(4_000),
  created_at: time(),
});

export const failureSignatures = table(
  'failure_signatures',
  {
    tenant_id: id('tenant'),
    application_id: id('application'),
    signature: name(200),
    count: bigint(),
    first_at: time(),
    last_at: time(),
  },
  { primaryKey: ['application_id', 'signature'] },
);

export const plans = table(
  'plans',
  { tenant_id: id('tenant'), request_id: id('request'), digest: digest(), job_id: id('job'), created_at: time() },
  { primaryKey: ['request_id', 'digest'] },
);

export const evidenceBundles = table(
  'evidence_bundles',
  {
    id: id('bundle'),
    tenant_id: id('tenant'),
    request_id: id('request'),
    kind: oneOf(BUNDLE_KINDS),
    digest: digest(),
    signed_by: id('key'),
    created_at: time(),
  },
  {
    indexes: [
      {
        name: 'ux_evidence_bundles_digest',
        columns: ['request_id', 'kind', 'digest'],
        unique: true,
        serves: ['evidence.list'],
      },
    ],
  },
);

export const signingKeys = table(
  'signing_keys',
  {
    id: id('key'),
    tenant_id: id('tenant'),
    purpose: name(32),
    public_jwk: text(4_000),
    state: oneOf(KEY_STATES),
    created_at: time(),
    retired_at: nullable(time()),
  },
  {
    indexes: [
      { name: 'ix_signing_keys_purpose', columns: ['tenant_id', 'purpose', 'id'], serves: ['signingKeys.list'] },
    ],
  },
);
