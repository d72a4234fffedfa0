import { z } from 'zod';
import { POOLS } from '../domain/blueprint/schema.ts';
import { failure, outcome } from '../domain/job/outcome.ts';
import { LIMITS } from '../domain/limits.ts';

/**
 * The job protocol over HTTP (`/api/v1`), for any worker in any language. The SQL row is the lease of record: a claim
 * answers a lease token (random; bound to worker, job, epoch and incarnation) that every later call carries in the
 * `factory-lease` header. A stale token gets 409 `FACTORY-LEASE-LOST` and changes nothing.
 *
 *   POST /pools/{pool}/claim {claimId}          200 claimed | 204 nothing to do
 *   POST /jobs/{id}/claim {claimId}             200 | 409 already leased, finished, or no budget left
 *   POST /jobs/{id}/renew                       200 {expiresAt}
 *   POST /jobs/{id}/complete {outcome, outputs} 200 {more}: small outputs may travel with it; without `more` the pool is empty
 *   POST /jobs/{id}/fail {failure, outputs}     200 {more}
 *   POST /jobs/{id}/release                     200
 *   POST /jobs/{id}/checkpoint {digest}         200
 *   GET  /jobs/{id}/artifacts/{digest}          200 bytes: inputs of this job and its own outputs, nothing else
 *   POST /jobs/{id}/uploads {kind, mediaType, size, digest}          201 {upload, offset}; idempotent by digest + kind
 *   PUT  /jobs/{id}/uploads/{upload}?offset=N   200 {offset, complete}; resumable, chunks of at most LIMITS.artifact.chunkBytes
 *   GET  /jobs/{id}/uploads/{upload}            200 {offset, complete}
 *   POST /jobs/{id}/effects {…}                 201 the effect, `intended` (approval, policy and tree are checked here)
 *   POST /jobs/{id}/effects/{effect}/{event}    200: started | completed | verified | refuted | failed | uncertain | look_again
 */
export const LEASE_HEADER = 'factory-lease';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const name = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);

export const claimBody = z.strictObject({ claimId: z.string().min(8).max(128) });

/** Artifact kinds: what the bytes are. The kind lives on the reference, the bytes are shared within a tenant. */
export const ARTIFACT_KINDS = [
  'packet',
  'declaration',
  'definitions',
  'source_bundle',
  'packages_cache',
  'plan',
  'change_bundle',
  'diff',
  'receipt',
  'log',
  'lockfile',
  'change_evidence',
  'evidence_bundle',
  'checkpoint',
  'investigation',
  'install_plan',
  'deployment_plan',
  'holdout',
  'holdout_report',
] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

export const artifactReference = z.strictObject({
  name,
  digest,
  kind: z.enum(ARTIFACT_KINDS),
  mediaType: z.string().max(100),
  size: z.int().min(0),
});
export type ArtifactReference = z.infer<typeof artifactReference>;

/**
 * What a claim answers. `inputs` always has `packet`, `declaration` and (where the node names them) earlier outputs; `holdouts`, the hidden scenarios, is
 * one of the verifier's job that runs them and of no other.
 */
export const claimAnswer = z.object({
  job: z.string(),
  request: z.string(),
  application: z.string(),
  node: z.string(),
  round: z.int(),
  attempt: z.int(),
  pool: z.enum(POOLS),
  task: z.string(),
  station: z.string().nullable(),
  line: z.string(),
  epoch: z.int(),
  leaseToken: z.string(),
  expiresAt: z.iso.datetime(),
  leaseMs: z.int(),
  timeoutMs: z.int(),
  traceparent: z.string().nullable(),
  inputs: z.array(artifactReference),
  /** Small values the task needs beside its inputs (fan-out index, branch name, rework findings …). */
  parameters: z.record(z.string(), z.unknown()),
});
export type ClaimAnswer = z.infer<typeof claimAnswer>;

const mediaType = z
  .string()
  .regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+(; ?[a-z-]+=[A-Za-z0-9._-]+)?$/)
  .max(100);

/** An output as its report names it: uploaded before, or its bytes with it (`inline`, base64) when they are few. */
const carriedOutput = z.strictObject({
  name,
  digest,
  kind: z.enum(ARTIFACT_KINDS),
  inline: z
    .strictObject({ mediaType, content: z.base64().max(Math.ceil(LIMITS.artifact.inlineBytes / 3) * 4) })
    .optional(),
});
export type CarriedOutput = z.infer<typeof carriedOutput>;
const carriedOutputs = z.array(carriedOutput).max(LIMITS.job.outputs).default([]);

export const completeBody = z.strictObject({ outcome, outputs: carriedOutputs });
export type CompleteBody = z.infer<typeof completeBody>;

/** `outputs`: logs and receipts of the failed attempt. */
export const failBody = z.strictObject({ failure, outputs: carriedOutputs });

export const checkpointBody = z.strictObject({ digest });

/** Hidden scenarios come from people alone: no worker makes one. */
const UPLOADED_KINDS = ARTIFACT_KINDS.filter((kind) => kind !== 'holdout');

export const uploadBody = z.strictObject({
  kind: z.enum(UPLOADED_KINDS),
  mediaType,
  size: z.int().min(0).max(LIMITS.artifact.bytes),
  digest,
});

/** The hint on the queue: versioned, ids only. A worker that can't read one drops it. */
export const hintSchema = z.strictObject({
  v: z.literal(1),
  job: z.string(),
  pool: z.enum(POOLS),
  request: z.string(),
});
export type Hint = z.infer<typeof hintSchema>;

/** Application property of a hint's message with the `traceparent` of its sending, as the Service Bus SDKs name it. A hint without one is as good. */
export const TRACE_PROPERTY = 'Diagnostic-Id';

export const EFFECT_KINDS = ['git_push', 'pull_request', 'deliver_patch', 'azure_deployment'] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

/** An effect an effector is about to perform. `tree` is the sha256 tree digest it recomputed from the bytes it is about to send. */
export const intendBody = z.strictObject({
  kind: z.enum(EFFECT_KINDS),
  /** Position in the approved, ordered list of effect kinds. */
  ordinal: z.int().min(0).max(16),
  target: z.string().min(1).max(512),
  tree: digest,
  /** What the target must look like for the fence to hold, e.g. the expected commit of the ref ("" = absent). */
  expectedBefore: z.string().max(512),
  rollback: z.string().min(1).max(1_000),
});
export type IntendBody = z.infer<typeof intendBody>;

export const EFFECT_EVENTS = [
  'started',
  'completed',
  'verified',
  'refuted',
  'failed',
  'uncertain',
  'look_again',
] as const;
export type EffectEventName = (typeof EFFECT_EVENTS)[number];
export const effectEventBody = z.strictObject({ observed: z.string().max(2_000) });

export const effectAnswer = z.object({
  id: z.string(),
  key: z.string(),
  state: z.string(),
  correlationMark: z.string(),
  actUntil: z.iso.datetime(),
  observed: z.string().nullable(),
});
export type EffectAnswer = z.infer<typeof effectAnswer>;

/** Which role may claim which pool. */
export const POOLS_OF_ROLE = {
  station: ['plan', 'build', 'review', 'packages'],
  verifier: ['verify'],
  effector: ['fetch', 'effect'],
} as const;
export type WorkerRole = keyof typeof POOLS_OF_ROLE;
