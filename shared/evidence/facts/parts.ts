import { z } from 'zod';
import { HOLDOUT_RESULTS } from '../../domain/application/holdouts.ts';
import { POOLS } from '../../domain/blueprint/schema.ts';
import { jobMachine } from '../../domain/job/machine.ts';
import { RISK_TIERS } from '../../domain/risk/tier.ts';
import { EFFECT_KINDS } from '../../jobs/protocol.ts';

/**
 * The parts evidence is made of. Plain data: ids, digests, figures and bounded text; whatever is larger is an artifact named by its
 * digest. Nothing has a default: what is not known must be said to be absent, never left out.
 */
const JOB_STATES = Object.keys(jobMachine.table) as (keyof typeof jobMachine.table)[];

export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
export const gitObject = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
export const time = z.iso.datetime({ offset: false });
export const identifier = z.string().min(1).max(100);
export const shortText = z.string().min(1).max(500);
export const paragraph = z.string().min(1).max(8_000);

/** What was asked, by whom, under which definitions. */
export const requestPart = z.strictObject({
  id: identifier,
  application: identifier,
  requestedBy: identifier,
  line: identifier,
  lineDigest: digest,
  definitions: digest,
  incarnation: identifier,
  run: z.int().min(1),
  acceptedAt: time,
});

export const taskPart = z.strictObject({
  packet: digest,
  goal: paragraph,
  intent: paragraph,
  source: z.strictObject({
    kind: identifier,
    reference: z.string().max(8_000).nullable(),
    url: z.string().max(2_048).nullable(),
  }),
  nonGoals: z.array(paragraph).max(100),
  outputFormat: identifier,
});

export const planPart = z.strictObject({ digest, job: identifier, summary: paragraph });

export const basePart = z.strictObject({ repository: identifier, ref: shortText, commit: gitObject, tree: digest });

export const changePart = z.strictObject({
  job: identifier,
  bundle: digest,
  diff: digest,
  /** sha256 tree digest of the tested bytes, and git's own id of that tree. */
  tree: digest,
  gitTree: gitObject,
  paths: z.array(z.string().max(512)).max(200),
  pathCount: z.int().min(1),
  linesAdded: z.int().min(0),
  linesRemoved: z.int().min(0),
  binaryFiles: z.int().min(0),
  testPaths: z.array(z.string().max(512)).max(200),
});

export const stationPart = z.strictObject({
  name: identifier,
  kind: z.enum(['deterministic', 'agent']),
  version: shortText,
  /** Null for a deterministic station. */
  model: z
    .strictObject({
      provider: shortText,
      name: shortText,
      version: shortText.nullable(),
      transcript: digest.nullable(),
    })
    .nullable(),
});

/** `digest` is null where a tool has no file of its own to hash; its version is then what is known. */
export const toolPart = z.strictObject({ name: shortText, version: shortText, digest: digest.nullable() });

export const sandboxPart = z.strictObject({
  kind: identifier,
  isolation: z.enum(['isolated', 'none']),
  limits: z.enum(['cgroup', 'rlimit']).optional(),
  version: shortText,
});

export const checkResult = z.strictObject({
  name: identifier,
  kind: identifier,
  before: z.enum(['passed', 'failed', 'not_run']),
  after: z.enum(['passed', 'failed', 'not_run']),
  testsBefore: z.int().min(0).nullable(),
  testsAfter: z.int().min(0).nullable(),
});

export const reproductionPart = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('failed_before'),
    receipt: digest,
    job: identifier,
    command: z.array(z.string().max(4_096)).min(1).max(200),
    summary: paragraph,
  }),
  /** The packet declared why there is none, or the line needs none. */
  z.strictObject({ kind: z.literal('none'), reason: paragraph }),
]);

export const validationPart = z.strictObject({
  receipt: digest,
  /** Digest of the receipt's claims: what an approval binds. */
  claims: digest,
  job: identifier,
  tree: digest,
  result: z.literal('valid'),
  reproductionAfter: z.enum(['passes', 'not_applicable']),
  checks: z.array(checkResult).max(200),
  /** Hidden scenarios by name, as former releases told of them; empty since. */
  scenarios: z.array(z.strictObject({ name: identifier, result: z.enum(['passed', 'failed']) })).max(200),
  /** What came of the hidden scenarios, and no more: absent in evidence of former releases. */
  holdouts: z.enum(HOLDOUT_RESULTS).optional(),
  testsTouched: z.array(z.string().max(512)).max(200),
});

/** One lease of a job: who held it, and how it ended; null where it still runs or nothing was said of it. */
const attemptPart = z.strictObject({
  epoch: z.int().min(1),
  attempt: z.int().min(1),
  principal: identifier,
  from: time,
  endedAs: identifier.nullable(),
  signature: shortText.nullable(),
});

/** A job that somebody held, or that was ended before anybody did; queued ones have nothing to tell. */
export const jobPart = z.strictObject({
  id: identifier,
  node: identifier,
  round: z.int().min(1),
  pool: z.enum(POOLS),
  state: z.enum(JOB_STATES),
  /** Lease epoch: of the lease that completed it; ending a job that did not complete makes it one higher. */
  epoch: z.int().min(1),
  attempt: z.int().min(1),
  /** Identity the worker called with; null when no lease is or was held at the end. */
  principal: identifier.nullable(),
  /** Every lease, the last ones where there were many. Left out only by statements that were signed before they were told. */
  attempts: z.array(attemptPart).max(64).optional(),
  verdict: identifier.nullable(),
  /** Digest of the body that completed or failed it, as the audit event of that call has it. */
  result: digest.nullable(),
  inputs: z.array(z.strictObject({ name: identifier, digest })).max(64),
  outputs: z.array(z.strictObject({ name: identifier, kind: identifier, digest })).max(64),
});

export const policyDecisionPart = z.strictObject({
  id: identifier,
  action: identifier,
  principal: identifier,
  allowed: z.boolean(),
  policy: digest,
  determining: z.array(shortText).max(100),
  at: time,
});

export const approvalPart = z.strictObject({
  id: identifier,
  /** The approval's subject as it was decided on; its digest is what the approvers saw. */
  subject: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('start'),
      request: identifier,
      packet: digest,
      plan: digest,
      policy: digest,
      risk: z.enum(RISK_TIERS),
    }),
    z.strictObject({
      type: z.literal('effect'),
      request: identifier,
      packet: digest,
      startApproval: identifier.nullable(),
      plan: digest,
      tree: digest,
      baseTree: digest,
      receipt: digest,
      changeEvidence: digest,
      target: shortText,
      effects: z.array(identifier).min(1).max(16),
      policy: digest,
      risk: z.enum(RISK_TIERS),
    }),
  ]),
  subjectDigest: digest,
  state: z.enum(['open', 'approved', 'rejected', 'expired', 'revoked', 'superseded']),
  required: z.int().min(0).max(5),
  decisions: z
    .array(
      z.strictObject({
        by: identifier,
        decision: z.enum(['approve', 'reject']),
        reason: z.string().max(2_000),
        at: time,
      }),
    )
    .max(20),
});

export const effectPart = z.strictObject({
  id: identifier,
  key: shortText,
  kind: z.enum(EFFECT_KINDS),
  ordinal: z.int().min(0).max(16),
  job: identifier,
  epoch: z.int().min(1),
  target: z.string().min(1).max(512),
  tree: digest,
  state: z.enum(['intended', 'started', 'completed', 'verified', 'refuted', 'failed', 'uncertain', 'rolled_back']),
  expectedBefore: z.string().max(512),
  /** What was seen at the target when it was looked at after acting. */
  observed: z.string().max(2_000).nullable(),
  approval: identifier.nullable(),
  policyDecision: identifier,
  rollback: z.string().min(1).max(1_000),
});

export const riskPart = z.strictObject({
  tier: z.enum(RISK_TIERS),
  reasons: z
    .array(z.strictObject({ signal: shortText, tier: z.enum(RISK_TIERS), because: z.string().max(2_000) }))
    .max(100),
  /** What remains uncertain although everything passed; says so when nothing is known to. */
  residual: z.array(paragraph).min(1).max(50),
});

/** How a change came about and what was tested: the same in the change evidence and in the bundle that refers to it. */
export const changeFacts = z.strictObject({
  request: requestPart,
  task: taskPart,
  plan: planPart,
  base: basePart,
  change: changePart,
  station: stationPart,
  toolchain: z.array(toolPart).min(1).max(100),
  sandbox: sandboxPart,
  reproduction: reproductionPart,
  validation: validationPart,
  risk: riskPart,
  rollback: paragraph,
});

/** What was recorded on the way. */
export const recordFacts = z.strictObject({
  jobs: z.array(jobPart).max(1_100),
  /** Jobs beyond those: of superseded rounds and of wide fan-outs. They are in the audit stream. */
  jobsLeftOut: z.int().min(0),
  approvals: z.array(approvalPart).max(50),
  policyDecisions: z.array(policyDecisionPart).max(200),
});
