import type { SealedUpload, Uploads } from '../artifacts/uploads/uploads.ts';
import { parseDigest } from '../domain/digest.ts';
import type { JobId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import type { Command } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import { holdLease } from './held-lease.ts';
import type { CarriedOutput } from './protocol.ts';

/** Outputs whose bytes came with the report of a job: sealed already, recorded by the report's own transaction. */
export type CarriedOutputs = {
  readonly uploads: readonly SealedUpload['row'][];
  /** Part of the report's transaction, late in it: artifacts rank behind everything that the request's row guards. */
  record(): Command<void>;
};

const NOTHING: CarriedOutputs = { uploads: [], *record() {} };

type Parts = { readonly store: Store; readonly uploads: Uploads; readonly context: PlaneContext };

/**
 * Seals what a report carries, calls `report` with it, and removes the objects that turned out not to count. The lease is looked at
 * first, so that nobody without one can fill the store; the report's transaction decides about it again. Bytes that are not
 * those of their digest are refused with 422 `FACTORY-DIGEST-MISMATCH`, and nothing is kept.
 */
export async function withCarriedOutputs<T>(
  { store, uploads, context }: Parts,
  lease: { readonly actor: Actor; readonly job: JobId; readonly token: string },
  outputs: readonly CarriedOutput[],
  report: (carried: CarriedOutputs) => Promise<T>,
): Promise<T> {
  const { actor, job, token } = lease;
  if (!outputs.some((output) => output.inline !== undefined)) return report(NOTHING);
  const held = await store.read('job.lease', () => holdLease(context, actor, job, token));
  // A report repeated after its answer was lost: what it carries was recorded then.
  if (!held.current) return report(NOTHING);
  const sealed: SealedUpload[] = [];
  let counted: readonly boolean[] = [];
  const settleAll = async (): Promise<void> => {
    for (const [index, each] of sealed.entries()) await uploads.settle(each, counted[index] ?? false);
  };
  try {
    for (const { digest: named, kind, inline } of outputs) {
      const digest = parseDigest(named);
      if (inline === undefined || digest === undefined) continue;
      const bytes = Buffer.from(inline.content, 'base64');
      const announced = { digest, kind, mediaType: inline.mediaType, size: bytes.byteLength };
      sealed.push(await uploads.seal({ job, epoch: held.job.lease_epoch }, announced, bytes));
    }
    const answer = await report({
      uploads: sealed.map((each) => each.row),
      *record() {
        const counts: boolean[] = [];
        for (const each of sealed) counts.push(yield* uploads.record(each));
        counted = counts;
      },
    });
    await settleAll();
    return answer;
  } catch (error) {
    // After a known refusal nothing refers to the objects; after anything else it is not known, and the collector looks.
    if (error instanceof Refusal && error.status !== 503) {
      counted = [];
      await settleAll();
    }
    throw error;
  }
}
