import { z } from 'zod';
import { FAILURE_CLASSES } from '../../domain/failure.ts';
import { NO_OP_CODES } from '../../domain/packet/schema.ts';
import {
  changeFacts,
  digest,
  effectPart,
  identifier,
  paragraph,
  recordFacts,
  requestPart,
  shortText,
  taskPart,
  time,
} from './parts.ts';

/** What every bundle has, however the request ended. */
const common = {
  request: requestPart,
  task: taskPart,
  ...recordFacts.shape,
  effects: z.array(effectPart).max(64),
  endedAt: time,
};

/** A change was produced, validated and delivered: all of its change evidence, and effects that were seen at their targets. */
const prReady = z.strictObject({
  ...common,
  ...changeFacts.shape,
  state: z.literal('PR_READY'),
  /** Digest of the change evidence's stored envelope. */
  changeEvidence: digest,
  effects: z
    .array(effectPart.extend({ state: z.literal('verified'), observed: z.string().min(1).max(2_000) }))
    .min(1)
    .max(64),
});

/** Nothing had to be changed, and an artifact proves it. */
const noOp = z.strictObject({
  ...common,
  state: z.literal('NO_OP'),
  code: z.enum(NO_OP_CODES),
  proof: digest,
  node: identifier,
  explanation: paragraph,
});

/** A person must answer: what, who, until when, and what was tried. */
const escalate = z.strictObject({
  ...common,
  state: z.literal('ESCALATE'),
  code: identifier,
  node: identifier,
  question: paragraph,
  owner: shortText,
  deadline: time,
  tried: z.array(paragraph).min(1).max(100),
  changeEvidence: digest.nullable(),
});

/** It failed for now; the same request may succeed later. */
const retryableFailure = z.strictObject({
  ...common,
  state: z.literal('RETRYABLE_FAILURE'),
  node: identifier,
  class: z.enum(FAILURE_CLASSES),
  code: identifier,
  signature: shortText,
  attempts: z.int().min(1),
  message: paragraph,
});

/** A person ended it. Effects that had already happened are listed, each with its rollback. */
const cancelled = z.strictObject({
  ...common,
  state: z.literal('CANCELLED'),
  by: identifier,
  reason: z.string().max(2_000),
  changeEvidence: digest.nullable(),
});
const rejected = z.strictObject({
  ...common,
  state: z.literal('REJECTED'),
  by: identifier,
  reason: z.string().max(2_000),
  approval: identifier,
  changeEvidence: digest.nullable(),
});

/** Content of an evidence bundle; what must be there differs by terminal state, so that missing evidence can't read as NO_OP. */
export const bundleFacts = z.discriminatedUnion('state', [
  prReady,
  noOp,
  escalate,
  retryableFailure,
  cancelled,
  rejected,
]);

export type EvidenceFacts = z.infer<typeof bundleFacts>;
export type PrReadyFacts = z.infer<typeof prReady>;
