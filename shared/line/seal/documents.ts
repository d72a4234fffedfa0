import type { z } from 'zod';
import type { Digest } from '../../domain/digest.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type Plan, planSchema } from '../../stations/plan.ts';
import { type Receipt, receiptSchema } from '../../verify/receipt.ts';
import { missing } from './missing.ts';
import type { JobRecord, RequestRecords } from './records.ts';

export type Bytes = (digest: Digest, maximumBytes: number) => Promise<Buffer>;

/** A document with the job that gave it out and the digest it is named by. */
export type Found<T> = { readonly digest: Digest; readonly job: JobRecord; readonly content: T };

/** What the evidence of a change quotes: the jobs in its chain and the small documents they gave out. */
export type ChangeDocuments = {
  readonly plan: Found<Plan>;
  readonly baseline: Found<Receipt>;
  readonly receipt: Found<Receipt>;
  readonly builder: JobRecord;
  readonly change: Digest;
  readonly diff: Digest;
};

/** Receipts list every passed test by a short hash: two of them with 20,000 names stay below this. */
const DOCUMENT_BYTES = 8 * 1024 * 1024;

const completedWith = (records: RequestRecords, digest: Digest, kind: string): JobRecord | undefined =>
  records.jobs.findLast(
    (job) =>
      job.state === 'completed' &&
      job.outputs.some(
        (output) => output.digest === digest && output.kind === kind && output.epoch === job.lease_epoch,
      ),
  );

async function readDocument<T>(
  bytes: Bytes,
  digest: Digest,
  schema: z.ZodType<T>,
  pointer: string,
  what: string,
): Promise<T> {
  const content = await bytes(digest, DOCUMENT_BYTES).catch((error: unknown) => {
    // One that is absent or too large stays so; any other fault is of the store, and passes.
    throw error instanceof Refusal && (error.status === 404 || error.status === 413)
      ? missing(pointer, `${what} ${digest} can't be read: ${error.message}`)
      : error;
  });
  const text = content.toString('utf8');
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success)
    throw missing(
      pointer,
      `${what} ${digest} is not of the form this plane knows (at /${parsed.error.issues[0]?.path.map(String).join('/') ?? ''}).`,
    );
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The input of a job that has this kind, whatever the blueprint calls it. */
function inputOf(job: JobRecord, kind: string, pointer: string): Digest {
  const found = job.inputs.find((input) => input.kind === kind);
  if (found === undefined) throw missing(pointer, `the job ${job.id} of "${job.node}" was given no ${kind}.`);
  return found.digest;
}

function gaveOut(records: RequestRecords, digest: Digest, kind: string, pointer: string): JobRecord {
  const job = completedWith(records, digest, kind);
  if (job === undefined) throw missing(pointer, `no completed job gave out the ${kind} ${digest}.`);
  return job;
}

/**
 * Follows the chain back from the newest verification that found a tree valid: its job, the change that job was given, the job that made
 * the change, the plan and the baseline. Refuses with what can't be found.
 */
export async function readChangeDocuments(records: RequestRecords, bytes: Bytes): Promise<ChangeDocuments> {
  const verification = records.verifications.findLast((candidate) => candidate.tree !== null);
  if (verification === undefined || verification.result !== 'valid') {
    throw missing(
      '/validation',
      `no verification found a changed tree valid (the newest says "${verification?.result ?? 'nothing'}").`,
    );
  }
  const verifier = records.jobs.find((job) => job.id === verification.job_id && job.state === 'completed');
  if (verifier === undefined)
    throw missing(
      '/validation/job',
      `the job ${verification.job_id} that gave the receipt is not recorded as completed.`,
    );
  const receipt = {
    digest: verification.artifact_digest,
    job: verifier,
    content: await readDocument(
      bytes,
      verification.artifact_digest,
      receiptSchema,
      '/validation/receipt',
      'The receipt',
    ),
  };
  const diff = verifier.outputs.find(
    (output) => output.kind === 'diff' && output.epoch === verifier.lease_epoch,
  )?.digest;
  if (diff === undefined)
    throw missing('/change/diff', `the job ${verifier.id} that verified the change gave out no diff.`);
  const change = inputOf(verifier, 'change_bundle', '/change/bundle');
  const builder = gaveOut(records, change, 'change_bundle', '/change/job');
  const planDigest = inputOf(builder, 'plan', '/plan/digest');
  const plan = {
    digest: planDigest,
    job: gaveOut(records, planDigest, 'plan', '/plan/job'),
    content: await readDocument(bytes, planDigest, planSchema, '/plan', 'The plan'),
  };
  const baselineDigest = inputOf(verifier, 'receipt', '/reproduction/receipt');
  const baseline = {
    digest: baselineDigest,
    job: gaveOut(records, baselineDigest, 'receipt', '/reproduction/job'),
    content: await readDocument(bytes, baselineDigest, receiptSchema, '/reproduction', 'The baseline receipt'),
  };
  return { plan, baseline, receipt, builder, change, diff };
}
