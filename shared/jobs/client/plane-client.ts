import { z } from 'zod';
import type { Failure } from '../../domain/failure.ts';
import {
  type ArtifactReference,
  type ClaimAnswer,
  type CompleteBody,
  claimAnswer,
  type EffectAnswer,
  type EffectEventName,
  effectAnswer,
  type IntendBody,
} from '../protocol.ts';
import { downloadBytes, downloadFile } from './artifact-download.ts';
import { type Upload, type Uploaded, uploadArtifact } from './artifact-upload.ts';
import type { ElapsedClock } from './elapsed-clock.ts';
import { type LeaseProof, type PlaneCallOptions, planeCalls } from './plane-call.ts';
import type { RetryBounds } from './retry.ts';

/** A claim and when it was first asked for: the lease may have begun at that moment, even if its answer was lost and asked for again. */
export type Claimed = { readonly claim: ClaimAnswer; readonly askedAt: number };

/** `more` is false only when the plane said that nothing else of the pool is due. */
export type Reported = { readonly more: boolean };

/**
 * The job protocol (shared/jobs/protocol.ts) as functions. Calls throw `PlaneProblem` when the plane refuses and
 * `PlaneUnreachable` when there was no answer within the bounds given.
 */
export type PlaneClient = {
  readonly now: ElapsedClock;
  /** The next job of a pool by priority, or null when there is none to do. The same claim id yields the same lease. */
  claimNext(pool: string, claimId: string, bounds: RetryBounds): Promise<Claimed | null>;
  claimJob(job: string, claimId: string, bounds: RetryBounds): Promise<Claimed>;
  renew(lease: LeaseProof, bounds: RetryBounds): Promise<void>;
  /** Answers whether the pool may have more to do. */
  complete(lease: LeaseProof, body: CompleteBody, bounds: RetryBounds): Promise<Reported>;
  fail(
    lease: LeaseProof,
    body: { readonly failure: Failure; readonly outputs: CompleteBody['outputs'] },
    bounds: RetryBounds,
  ): Promise<Reported>;
  release(lease: LeaseProof, bounds: RetryBounds): Promise<void>;
  checkpoint(lease: LeaseProof, digest: string, bounds: RetryBounds): Promise<void>;
  readArtifact(lease: LeaseProof, reference: ArtifactReference, bounds: RetryBounds): Promise<Uint8Array>;
  saveArtifact(lease: LeaseProof, reference: ArtifactReference, file: string, bounds: RetryBounds): Promise<void>;
  upload(lease: LeaseProof, upload: Upload, bounds: RetryBounds): Promise<Uploaded>;
  intendEffect(lease: LeaseProof, body: IntendBody, bounds: RetryBounds): Promise<EffectAnswer>;
  recordEffect(
    lease: LeaseProof,
    effect: string,
    event: EffectEventName,
    observed: string,
    bounds: RetryBounds,
  ): Promise<EffectAnswer>;
  close(): void;
};

export type PlaneClientOptions = PlaneCallOptions;

const reportAnswer = z.object({ more: z.boolean().default(true) });
const renewAnswer = z.object({ expiresAt: z.iso.datetime() });

export function createPlaneClient(options: PlaneClientOptions): PlaneClient {
  const calls = planeCalls(options);
  const post = (path: string, lease: LeaseProof | undefined, json: unknown, bounds: RetryBounds) =>
    calls.json(lease === undefined ? { method: 'POST', path, json } : { method: 'POST', path, lease, json }, bounds);
  const verb = (lease: LeaseProof, name: string, json: unknown, bounds: RetryBounds) =>
    post(`/jobs/${lease.job}/${name}`, lease, json, bounds);

  const claim = async (path: string, claimId: string, bounds: RetryBounds): Promise<Claimed | null> => {
    const askedAt = calls.now();
    const answer = await post(path, undefined, { claimId }, bounds);
    return answer.status === 204 ? null : { claim: claimAnswer.parse(answer.body), askedAt };
  };

  return {
    now: calls.now,
    claimNext: (pool, claimId, bounds) => claim(`/pools/${encodeURIComponent(pool)}/claim`, claimId, bounds),
    async claimJob(job, claimId, bounds) {
      const claimed = await claim(`/jobs/${encodeURIComponent(job)}/claim`, claimId, bounds);
      if (claimed === null)
        throw new Error(
          `the control plane answered a claim of job ${job} with nothing; it must be a lease or a refusal`,
        );
      return claimed;
    },
    async renew(lease, bounds) {
      renewAnswer.parse((await verb(lease, 'renew', {}, bounds)).body);
    },
    async complete(lease, body, bounds) {
      return reportAnswer.parse((await verb(lease, 'complete', body, bounds)).body);
    },
    async fail(lease, body, bounds) {
      return reportAnswer.parse((await verb(lease, 'fail', body, bounds)).body);
    },
    async release(lease, bounds) {
      await verb(lease, 'release', {}, bounds);
    },
    async checkpoint(lease, digest, bounds) {
      await verb(lease, 'checkpoint', { digest }, bounds);
    },
    readArtifact: (lease, reference, bounds) => downloadBytes(calls, lease, reference, bounds),
    saveArtifact: (lease, reference, file, bounds) => downloadFile(calls, lease, reference, file, bounds),
    upload: (lease, upload, bounds) => uploadArtifact(calls, lease, upload, bounds),
    async intendEffect(lease, body, bounds) {
      return effectAnswer.parse((await verb(lease, 'effects', body, bounds)).body);
    },
    async recordEffect(lease, effect, event, observed, bounds) {
      return effectAnswer.parse(
        (await verb(lease, `effects/${encodeURIComponent(effect)}/${event}`, { observed }, bounds)).body,
      );
    },
    close: calls.close,
  };
}
