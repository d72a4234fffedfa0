import { z } from 'zod';

/** What the command line reads of the API's answers. Fields it does not know are passed over, so that a newer plane still answers it. */
const nullableText = z.string().nullable();

const money = z.object({ currency: z.string(), amount: z.string() });

const conclusion = z.object({
  state: z.string(),
  code: z.string().optional(),
  question: z.string().optional(),
  tried: z.array(z.string()).optional(),
  class: z.string().optional(),
  signature: z.string().optional(),
  attempts: z.number().optional(),
  message: z.string().optional(),
  proof: z.string().optional(),
  by: z.string().optional(),
  reason: z.string().optional(),
  node: z.string().optional(),
});

export const requestResource = z.object({
  id: z.string(),
  title: z.string(),
  state: z.string(),
  terminal: nullableText,
  phase: z.string(),
  line: z.string(),
  application: z.string(),
  requestedBy: z.string(),
  createdAt: z.string(),
  finishedAt: nullableText,
  conclusion: conclusion.nullable(),
  retryOf: nullableText,
  packet: z.string(),
  definitions: z.string(),
  evidence: nullableText,
  costs: z.array(money).default([]),
  defects: z.number().default(0),
  waitingFor: z.array(z.object({ approval: z.string(), type: z.string(), tier: nullableText })),
});
export type RequestResource = z.infer<typeof requestResource>;

export const submittedResource = z.object({ id: z.string(), state: z.string(), packet: z.string() });

export const nodeResource = z.object({
  name: z.string(),
  round: z.number(),
  kind: z.string(),
  pool: nullableText,
  state: z.string(),
  verdict: nullableText,
  summary: nullableText,
  risk: nullableText,
});
export type NodeResource = z.infer<typeof nodeResource>;

export const jobResource = z.object({
  id: z.string(),
  node: z.string(),
  pool: z.string(),
  task: z.string(),
  state: z.string(),
  attempt: z.number(),
  epoch: z.number(),
  owner: nullableText,
  verdict: nullableText,
  outputs: z.array(z.object({ name: z.string(), kind: z.string(), digest: z.string(), size: z.number() })),
  /** What a queued job waits for; a plane of before does not say. */
  waiting: z
    .union([
      z.object({ for: z.literal('worker'), ahead: z.number() }),
      z.object({ for: z.literal('time'), until: z.string() }),
    ])
    .nullish(),
});
export type JobResource = z.infer<typeof jobResource>;

export const effectResource = z.object({
  id: z.string(),
  kind: z.string(),
  target: z.string(),
  state: z.string(),
  tree: z.string(),
  observed: nullableText,
  rollback: z.string(),
});

const sealed = z.object({ digest: z.string(), kind: z.string(), signedBy: z.string() });
export const evidenceResource = z.object({
  bundle: nullableText,
  sealed: z.array(sealed),
  plans: z.array(z.object({ digest: z.string() })),
  receipts: z.array(
    z.object({ digest: z.string(), result: z.string(), tree: nullableText, claims: z.string(), verifier: z.string() }),
  ),
});

export const pageResource = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().optional() });

export const approvalResource = z.object({
  id: z.string(),
  type: z.string(),
  state: z.string(),
  tier: nullableText,
  request: nullableText,
  installation: nullableText,
  subject: z.string(),
  required: z.number(),
  role: nullableText,
  freshAuthentication: z.boolean(),
  expiresAt: z.string(),
});

export const applicationCostResource = z.object({
  costs: z.object({
    prices: z.string().nullable(),
    month: z.string(),
    spent: z.array(money),
    budget: z.object({ monthly: z.string(), currency: z.string(), usedPercent: z.number() }).nullable(),
  }),
});

export const recordedDefectResource = z.object({ id: z.string(), class: z.string(), signature: z.string() });

export const defectResource = recordedDefectResource.extend({
  summary: z.string(),
  recordedBy: z.string(),
  recordedAt: z.string(),
});

export const poolsResource = z.object({
  pools: z.array(
    z.object({
      pool: z.string(),
      leased: z.number(),
      due: z.number().default(0),
      oldestQueuedMs: z.number().nullable(),
      later: z.number().default(0),
      nextDueAt: z.string().nullish(),
    }),
  ),
});
