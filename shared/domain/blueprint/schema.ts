import { z } from 'zod';
import { FAILURE_CLASSES } from '../failure.ts';
import { LIMITS } from '../limits.ts';
import { LINE_NAMES } from '../packet/line-input.ts';
import { NO_OP_CODES, OUTPUT_FORMATS } from '../packet/schema.ts';

/**
 * A product line's blueprint: a graph of nodes as data, validated when it is installed and pinned by digest into a request.
 * `advance` walks it; nothing in it is code.
 */
const nodeName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);

export const POOLS = ['plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect'] as const;
export type Pool = (typeof POOLS)[number];

/** Holds when the named node ended with one of these verdicts (a node that was skipped has the verdict `skipped`). */
const condition = z.strictObject({ node: nodeName, verdict: z.array(z.string().min(1).max(64)).min(1).max(16) });
export type Condition = z.infer<typeof condition>;

const retry = z.strictObject({
  /** Attempts in all, the first included. */
  attempts: z.int().min(1).max(LIMITS.blueprint.attempts).default(3),
  /** Failure classes that are tried again; others end the node at once. */
  on: z.array(z.enum(FAILURE_CLASSES)).default(['transient_infra', 'environment', 'rate_limited', 'approval_stale']),
  backoffMs: z.int().min(0).max(LIMITS.job.retryDelayMs).default(1_000),
});

const common = {
  id: nodeName,
  needs: z.array(nodeName).max(LIMITS.blueprint.needs).default([]),
  when: z.array(condition).max(LIMITS.blueprint.cases).default([]),
};

/** A node's input: an output of an earlier node, by name. `packet`, `declaration` and `definitions` are always there. */
const inputs = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
    z.strictObject({ node: nodeName, output: z.string().min(1).max(64) }),
  )
  .default({});

const jobNode = z.strictObject({
  ...common,
  kind: z.literal('job'),
  pool: z.enum(POOLS),
  /** What the worker does: a name it has a handler for. */
  task: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
  station: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/)
    .optional(),
  inputs,
  retry: retry.default({
    attempts: 3,
    on: ['transient_infra', 'environment', 'rate_limited', 'approval_stale'],
    backoffMs: 1_000,
  }),
  /** On one of these verdicts the named node is opened again in the next round, up to `rounds` in all; then the verdict stands. */
  rework: z
    .strictObject({
      verdict: z.array(z.string()).min(1),
      to: nodeName,
      rounds: z.int().min(2).max(LIMITS.blueprint.rounds),
    })
    .optional(),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .default(1_800_000),
});

const gateNode = z.strictObject({
  ...common,
  kind: z.literal('gate'),
  subject: z.enum(['start', 'effect']),
  /** Node whose recorded facts the risk is computed from. */
  riskFrom: nodeName.optional(),
  expiryMs: z
    .int()
    .min(1_000)
    .max(30 * 24 * 3_600_000)
    .default(LIMITS.approval.expiryMs),
});

const conclusion = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('PR_READY') }),
  z.strictObject({ state: z.literal('NO_OP'), code: z.enum(NO_OP_CODES) }),
  z.strictObject({
    state: z.literal('ESCALATE'),
    code: z.string().min(1).max(64),
    question: z.string().min(1).max(2_000).optional(),
  }),
]);

const decideNode = z.strictObject({
  ...common,
  kind: z.literal('decide'),
  /** The first case whose conditions all hold ends the request; when none does, the node succeeds and the walk goes on. */
  cases: z
    .array(z.strictObject({ when: z.array(condition).min(1).max(LIMITS.blueprint.cases), conclude: conclusion }))
    .min(1)
    .max(LIMITS.blueprint.cases),
});

/** Work that control does itself with its signing key: change evidence before the effect. */
const sealNode = z.strictObject({ ...common, kind: z.literal('seal'), subject: z.literal('change_evidence'), inputs });

/** As many jobs of one form as the named node's facts say (`facts.<count>`), all of which must succeed. */
const fanOutNode = z.strictObject({
  ...common,
  kind: z.literal('fan_out'),
  count: z.union([
    z.int().min(1).max(LIMITS.blueprint.fanOut),
    z.strictObject({ node: nodeName, fact: z.string().min(1).max(64) }),
  ]),
  pool: z.enum(POOLS),
  task: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
  inputs,
  retry: retry.default({ attempts: 3, on: ['transient_infra', 'environment', 'rate_limited'], backoffMs: 1_000 }),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .default(1_800_000),
});

export const blueprintNode = z.discriminatedUnion('kind', [jobNode, gateNode, decideNode, sealNode, fanOutNode]);
export type BlueprintNode = z.infer<typeof blueprintNode>;
export type JobNode = z.infer<typeof jobNode>;
export type FanOutNode = z.infer<typeof fanOutNode>;

export const productLine = z.strictObject({
  schemaVersion: z.literal(1),
  line: z.union([z.enum(LINE_NAMES), z.string().regex(/^[a-z][a-z0-9-]{0,63}$/)]),
  title: z.string().min(1).max(200),
  outputFormats: z.array(z.enum(OUTPUT_FORMATS)).min(1),
  /** Whether a packet of this line must name a reproduction (or the reason why there is none). */
  reproductionRequired: z.boolean().default(false),
  /**
   * Whether a change of this line may add new files under the application's test files. Tests that are there already, and what decides
   * how tests run, stay closed.
   */
  mayAddTests: z.boolean().optional(),
  nodes: z.array(blueprintNode).min(1).max(LIMITS.blueprint.nodes),
});
export type ProductLine = z.infer<typeof productLine>;
