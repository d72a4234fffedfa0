import { z } from 'zod';
import { FAILURE_CLASSES } from '../failure.ts';
import { concern } from '../risk/concern.ts';

/**
 * What a worker says when its work is done or has failed. Small by construction: everything large is an artifact named in
 * `outputs`. `facts` are the few figures that the plane itself reasons with (risk, plan, counts), never text for people.
 */
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Facts about a change or a plan that risk, gates and fan-out are computed from. Workers measure; control judges. */
export const facts = z.strictObject({
  paths: z.array(z.string().max(512)).max(200).default([]),
  pathCount: z.int().min(0).optional(),
  linesAdded: z.int().min(0).optional(),
  linesRemoved: z.int().min(0).optional(),
  binaryFiles: z.int().min(0).optional(),
  manifests: z.array(z.string().max(512)).max(50).default([]),
  testPaths: z.array(z.string().max(512)).max(200).default([]),
  /** Git object ids: the base commit and its tree, the tree of the change. */
  baseCommit: z
    .string()
    .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
    .optional(),
  baseTree: digest.optional(),
  headTree: digest.optional(),
  /** Of a receipt: the digest of its claims, without its times. */
  claims: digest.optional(),
  gitTree: z
    .string()
    .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
    .optional(),
  coverage: z.enum(['known', 'unknown']).optional(),
  importers: z.int().min(0).optional(),
  versionChange: z.enum(['none', 'patch', 'minor', 'major', 'unknown']).optional(),
  sandbox: z.enum(['bubblewrap', 'process', 'sessions']).optional(),
  count: z.int().min(0).optional(),
  /** Of the station that made a change: its own version and that of the tool it used. */
  stationVersion: z.string().min(1).max(200).optional(),
  /** What the worker noticed that raises the risk, one entry a kind. */
  concerns: z.array(concern).max(20).optional(),
});
export type Facts = z.infer<typeof facts>;

export const outcome = z.strictObject({
  /** One word of the task's own vocabulary, e.g. `reproduced`, `already_true`, `valid`; `ok` when there is nothing to tell. */
  verdict: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
  summary: z.string().max(2_000).default(''),
  facts: facts.default({ paths: [], manifests: [], testPaths: [] }),
  /** With a verdict that asks a person: the question. */
  question: z.string().max(2_000).optional(),
  /** What could not be found or computed, each with the reason. */
  unknowns: z.array(z.string().max(500)).max(50).default([]),
});
export type Outcome = z.infer<typeof outcome>;

export const failure = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('terminal'), code: z.string().min(1).max(64), message: z.string().max(2_000) }),
  z.strictObject({
    kind: z.literal('retryable'),
    class: z.enum(FAILURE_CLASSES),
    code: z.string().min(1).max(64),
    message: z.string().max(2_000),
    afterMs: z.int().min(0).max(3_600_000).optional(),
  }),
  z.strictObject({
    kind: z.literal('needs_human'),
    code: z.string().min(1).max(64),
    question: z.string().min(1).max(2_000),
    tried: z.array(z.string().max(500)).max(20).optional(),
  }),
  z.strictObject({ kind: z.literal('cancelled'), message: z.string().max(2_000) }),
]);
