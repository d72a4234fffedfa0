import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfBytes } from '../../domain/digest.ts';
import { LIMITS } from '../../domain/limits.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { LeaseProof } from '../client/plane-call.ts';
import type { PlaneClient } from '../client/plane-client.ts';
import type { RetryBounds } from '../client/retry.ts';
import type { ArtifactReference, ClaimAnswer, CompleteBody } from '../protocol.ts';
import { type TaskContext, TaskFailure } from '../task.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { WorkerLog } from './worker-log.ts';

/** Inputs up to this size may be held in memory; larger ones are read through a file. */
const INPUT_IN_MEMORY_BYTES = 64 * 1024 * 1024;
/** Small outputs wait here and travel with the job's report, up to this many bytes of a job; its body has a limit. */
const CARRIED_BYTES = 256 * 1024;

export type JobCalls = {
  readonly plane: PlaneClient;
  readonly keeper: LeaseKeeper;
  readonly claim: ClaimAnswer;
  /** Fires when the handler must stop. */
  readonly signal: AbortSignal;
  readonly directory: string;
  readonly log: WorkerLog;
};

/** The context a handler works with, and the outputs it has named so far. */
export function taskContext(calls: JobCalls): {
  readonly context: TaskContext;
  readonly outputs: () => CompleteBody['outputs'];
} {
  const { claim, keeper, plane, signal } = calls;
  const lease: LeaseProof = { job: claim.job, leaseToken: claim.leaseToken, traceparent: claim.traceparent };
  const bounds: RetryBounds = { until: keeper.trustedUntil, signal };
  const outputs = new Map<string, CompleteBody['outputs'][number]>();
  let carriedBytes = 0;

  /** Nothing is sent under a lease that is over, and no answer is acted on that came after its end. */
  const underLease = async <T>(call: () => Promise<T>): Promise<T> => {
    keeper.assertHeld();
    signal.throwIfAborted();
    const value = await call();
    keeper.assertHeld();
    signal.throwIfAborted();
    return value;
  };

  const reference = (name: string): ArtifactReference => {
    const found = claim.inputs.find((input) => input.name === name);
    if (found !== undefined) return found;
    const has = claim.inputs.map((input) => input.name).join(', ') || 'none';
    throw new TaskFailure({
      kind: 'terminal',
      code: 'INPUT-MISSING',
      message: `The task ${claim.task} needs an input named ${name}, and its job has ${has}. The blueprint must pass it.`,
    });
  };

  const context: TaskContext = {
    claim,
    signal,
    directory: calls.directory,
    hasInput: (name) => claim.inputs.some((input) => input.name === name),
    async input(name) {
      const wanted = reference(name);
      if (wanted.size > INPUT_IN_MEMORY_BYTES) {
        throw new TaskFailure({
          kind: 'terminal',
          code: 'INPUT-TOO-LARGE',
          message: `Input ${name} has ${wanted.size} bytes, more than the ${INPUT_IN_MEMORY_BYTES} that are read into memory.`,
        });
      }
      return underLease(() => plane.readArtifact(lease, wanted, bounds));
    },
    async inputFile(name) {
      const wanted = reference(name);
      const inputs = join(calls.directory, 'inputs');
      await mkdir(inputs, { recursive: true, mode: 0o700 });
      const file = join(inputs, name);
      await underLease(() => plane.saveArtifact(lease, wanted, file, bounds));
      return file;
    },
    async output(output) {
      const content =
        'file' in output
          ? { file: output.file }
          : { bytes: typeof output.bytes === 'string' ? Buffer.from(output.bytes) : output.bytes };
      const { name, kind, mediaType } = output;
      if (
        'bytes' in content &&
        content.bytes.byteLength <= LIMITS.artifact.inlineBytes &&
        carriedBytes + content.bytes.byteLength <= CARRIED_BYTES
      ) {
        keeper.assertHeld();
        signal.throwIfAborted();
        const { bytes } = content;
        carriedBytes += bytes.byteLength;
        const digest = digestOfBytes(bytes);
        outputs.set(name, {
          name,
          kind,
          digest,
          inline: { mediaType, content: Buffer.from(bytes).toString('base64') },
        });
        return { name, kind, mediaType, digest, size: bytes.byteLength };
      }
      const uploaded = await underLease(() =>
        crossing('worker.upload', () => plane.upload(lease, { kind, mediaType, content }, bounds)),
      );
      outputs.set(name, { name, kind, digest: uploaded.digest });
      return { name, kind, mediaType, digest: uploaded.digest, size: uploaded.size };
    },
    intendEffect: (body) => underLease(() => plane.intendEffect(lease, body, bounds)),
    recordEffect: (effect, event, observed) =>
      underLease(() => plane.recordEffect(lease, effect, event, observed.slice(0, 2_000), bounds)),
    log: (event, fields) => calls.log(event, { ...fields, job: claim.job, epoch: claim.epoch }),
  };
  return { context, outputs: () => [...outputs.values()] };
}
