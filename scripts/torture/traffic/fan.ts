import { randomUUID } from 'node:crypto';
import type { PlaneClient } from '../../../shared/jobs/client/plane-client.ts';
import { isLeaseLost } from '../../../shared/jobs/client/plane-problem.ts';
import type { ClaimAnswer } from '../../../shared/jobs/protocol.ts';
import { look } from '../plane/database.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { until } from '../wait.ts';
import { openWorkerClient, patience, proofOf } from './worker-client.ts';

/** The pool that the jobs of a fan-out line are in, and whose they are. */
export const FAN_POOL = 'fetch';
const DONE = { verdict: 'fetched', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] };

export const fanClient = (plane: TorturePlane, identity: 'effector' | 'verifier' = 'effector'): Promise<PlaneClient> =>
  openWorkerClient({ planeDirectory: plane.layout.plane, controlUrl: plane.url, identity });

export async function completeFanJob(client: PlaneClient, claim: ClaimAnswer): Promise<void> {
  await client.complete(proofOf(claim), { outcome: DONE, outputs: [] }, patience(client));
}

/**
 * Claims and completes the jobs of a fan-out, so many at a time, until none is left. A lease that is lost on the way is somebody's
 * again later. Answers how many jobs were completed.
 */
export async function workFan(client: PlaneClient, width: number): Promise<number> {
  let completed = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const claimed = await client.claimNext(FAN_POOL, randomUUID(), patience(client));
      if (claimed === null) return;
      try {
        await completeFanJob(client, claimed.claim);
        completed += 1;
      } catch (error) {
        if (!isLeaseLost(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return completed;
}

/** Ends the requests whose fan-outs are done: each has one last job, which leaves a receipt. */
export async function endFans(plane: TorturePlane, requests: readonly string[], limitMs: number): Promise<void> {
  const client = await fanClient(plane, 'verifier');
  const wanted = new Set(requests);
  try {
    await until('that the fan-outs end', limitMs, async () => {
      const claimed = await client.claimNext('verify', randomUUID(), patience(client));
      if (claimed !== null) await verify(client, claimed.claim);
      const open = look(plane.database, "select id from requests where state <> 'terminal'");
      return open.some((row) => wanted.has(String(row['id']))) ? undefined : true;
    });
  } finally {
    client.close();
  }
}

async function verify(client: PlaneClient, claim: ClaimAnswer): Promise<void> {
  try {
    const bytes = Buffer.from(`{"seen":"${claim.request}"}`);
    const upload = { kind: 'receipt', mediaType: 'application/json', content: { bytes } } as const;
    const { digest } = await client.upload(proofOf(claim), upload, patience(client));
    const facts = { ...DONE.facts, claims: digest };
    const outcome = { ...DONE, facts, verdict: 'ok', summary: 'Each of the jobs was done.' };
    await client.complete(
      proofOf(claim),
      { outcome, outputs: [{ name: 'receipt', kind: 'receipt', digest }] },
      patience(client),
    );
  } catch (error) {
    if (!isLeaseLost(error)) throw error;
  }
}

/** Jobs of a fan-out that wait to be claimed. */
export const queuedFanJobs = (plane: TorturePlane): number =>
  Number(
    look(plane.database, "select count(*) as n from jobs where state = 'queued' and pool = ?", FAN_POOL)[0]?.['n'] ?? 0,
  );
