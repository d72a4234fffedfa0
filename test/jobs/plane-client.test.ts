import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../shared/domain/limits.ts';
import { clientCredentialTokens, readCredentialFile } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import type { PlaneClient } from '../../shared/jobs/client/plane-client.ts';
import { ArtifactCorrupt, PlaneProblem, PlaneUnreachable } from '../../shared/jobs/client/plane-problem.ts';
import { once } from '../../shared/jobs/client/retry.ts';
import { type ControlServer, startControlServer, type TestJob } from './control-server.ts';
import { planeFor } from './worker-fixture.ts';

let control: ControlServer;
let plane: PlaneClient;
let directory: string;
beforeEach(async () => {
  control = await startControlServer();
  plane = planeFor(control, 1_000);
  directory = await mkdtemp(join(tmpdir(), 'factory-client-'));
});
afterEach(async () => {
  plane.close();
  await control.close();
  await rm(directory, { recursive: true, force: true });
});

const soon = (ms = 5_000) => {
  const until = plane.now() + ms;
  return { until: () => until };
};
async function claimed(
  inputs: Parameters<ControlServer['enqueue']>[0]['inputs'] = {},
): Promise<{ job: TestJob; lease: { job: string; leaseToken: string; traceparent: null } }> {
  const job = control.enqueue({ pool: 'build', task: 'noop', inputs });
  await plane.claimJob(job.id, 'a-claim-id', once);
  return { job, lease: { job: job.id, leaseToken: job.token, traceparent: null } };
}

describe('calls', () => {
  test('are repeated after connection errors, 429 and 502-504, not before Retry-After', async () => {
    const { job, lease } = await claimed();
    control.faults.push(
      { path: /renew/, does: 'hang_up', times: 1 },
      { path: /renew/, does: { status: 429 }, times: 1 },
      { path: /renew/, does: { status: 502 }, times: 1 },
      { path: /renew/, does: { status: 503, retryAfter: '1' }, times: 1 },
      { path: /renew/, does: { status: 504 }, times: 1 },
    );
    const before = performance.now();
    await plane.renew(lease, soon());
    expect(performance.now() - before).toBeGreaterThanOrEqual(990);
    expect(job.renewals).toBe(1);
    expect(control.calls.filter((call) => call.includes('renew')).length).toBeGreaterThanOrEqual(6);
  });

  test.each([400, 403, 404, 409, 422, 500])('are not repeated after %i', async (status) => {
    const { lease } = await claimed();
    control.faults.push({ path: /renew/, does: { status, code: 'FACTORY-SOME' }, times: 9 });
    const error = await plane.renew(lease, soon()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PlaneProblem);
    expect(error).toMatchObject({ status, code: 'FACTORY-SOME' });
    expect(control.calls.filter((call) => call.includes('renew'))).toHaveLength(1);
  });

  test('end with the last answer, or with none, when their time is over', async () => {
    const { lease } = await claimed();
    control.faults.push({ path: /renew/, does: { status: 503, retryAfter: '60' }, times: 9 });
    await expect(plane.renew(lease, soon(500))).rejects.toMatchObject({ status: 503, retryAfterMs: 60_000 });
    control.faults.length = 0;
    control.faults.push({ path: /renew/, does: 'hang_up', times: 99 });
    await expect(plane.renew(lease, soon(200))).rejects.toBeInstanceOf(PlaneUnreachable);
    await expect(plane.renew(lease, once)).rejects.toBeInstanceOf(PlaneUnreachable);
  });

  test('that hang are given up and repeated', async () => {
    const { job, lease } = await claimed();
    control.faults.push({ path: /renew/, does: { delayMs: 3_000 }, times: 1 });
    await plane.renew(lease, soon());
    expect(job.renewals).toBe(1);
  });

  test('end at once with the reason of their signal', async () => {
    const { lease } = await claimed();
    const stop = new AbortController();
    control.faults.push({ path: /renew/, does: { delayMs: 900 }, times: 9 });
    const call = plane.renew(lease, { ...soon(), signal: stop.signal });
    const reason = new Error('enough');
    setImmediate(() => stop.abort(reason));
    await expect(call).rejects.toBe(reason);
  });

  test('claim the same lease by the same claim id, another by another', async () => {
    const jobs = [1, 2].map(() => control.enqueue({ pool: 'build', task: 'noop' }));
    const first = await plane.claimNext('build', 'claim-one', once);
    const again = await plane.claimNext('build', 'claim-one', once);
    const other = await plane.claimNext('build', 'claim-two', once);
    expect([first, again, other].map((each) => each?.claim.job)).toEqual([jobs[0]!.id, jobs[0]!.id, jobs[1]!.id]);
    expect(again?.claim.leaseToken).toBe(first?.claim.leaseToken);
    expect(await plane.claimNext('build', 'claim-three', once)).toBeNull();
  });
});

describe('tokens', () => {
  test('are kept, shared by concurrent calls, and asked for anew once after 401', async () => {
    const { lease } = await claimed();
    await Promise.all([1, 2, 3].map(() => plane.renew(lease, soon())));
    expect(control.settings.tokensIssued).toBe(1);
    control.forgetTokens();
    await plane.renew(lease, soon());
    expect(control.settings.tokensIssued).toBe(2);
    control.faults.push({ path: /renew/, does: { status: 401, code: 'FACTORY-UNAUTHENTICATED' }, times: 9 });
    await expect(plane.renew(lease, soon())).rejects.toMatchObject({ status: 401 });
    expect(control.settings.tokensIssued).toBe(3);
  });

  test('are renewed before they expire', async () => {
    let clock = 0;
    control.settings.tokenSeconds = 100;
    const tokens = clientCredentialTokens(control.credential, () => clock);
    const first = await tokens.getToken();
    clock = 89_000;
    expect(await tokens.getToken()).toBe(first);
    clock = 90_000;
    expect(await tokens.getToken()).not.toBe(first);
  });

  test('are refused to a wrong secret, without saying it', async () => {
    const tokens = clientCredentialTokens({ ...control.credential, clientSecret: 'not-the-secret' }, elapsedClock());
    const error = (await tokens.getToken().catch((thrown: unknown) => thrown)) as PlaneProblem;
    expect(error).toMatchObject({ status: 401, code: 'FACTORY-TOKEN-REFUSED' });
    expect(error.message).not.toContain('not-the-secret');
  });

  test('are asked for in vain while a plane starts, and the words say that and not that the secret is wrong', async () => {
    const starting = createServer((_request, response) => void response.writeHead(503).end());
    await new Promise<void>((resolve) => void starting.listen(0, '127.0.0.1', resolve));
    const { port } = starting.address() as AddressInfo;
    const tokens = clientCredentialTokens(
      { ...control.credential, tokenEndpoint: `http://127.0.0.1:${port}/token` },
      elapsedClock(),
    );
    const error = (await tokens.getToken().catch((thrown: unknown) => thrown)) as PlaneProblem;
    await new Promise((resolve) => void starting.close(resolve));
    expect(error).toMatchObject({ status: 503, code: 'FACTORY-TOKEN-REFUSED' });
    expect(error.message).toContain(`http://127.0.0.1:${port}/token answered 503`);
    expect(error.message).toContain('still starting');
  });

  test('come from a file that only its owner may read', async () => {
    const file = join(directory, 'credential.json');
    await writeFile(file, JSON.stringify(control.credential), { mode: 0o600 });
    expect(await readCredentialFile(file)).toEqual(control.credential);
    await chmod(file, 0o640);
    await expect(readCredentialFile(file)).rejects.toThrow(/chmod 600/);
    await writeFile(file, JSON.stringify({ ...control.credential, clientId: 7 }));
    await chmod(file, 0o600);
    const error = (await readCredentialFile(file).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toContain('clientId');
    expect(error.message).not.toContain('secret-of-the-worker');
  });
});

describe('artifacts', () => {
  const reference = (job: TestJob) => job.inputs[0]!;

  test('are read to memory and to a private file, and checked', async () => {
    const bytes = randomBytes(300_000);
    const { job, lease } = await claimed({ source: { kind: 'source_bundle', bytes } });
    expect(Buffer.from(await plane.readArtifact(lease, reference(job), once)).equals(bytes)).toBe(true);
    const file = join(directory, 'source');
    await plane.saveArtifact(lease, reference(job), file, once);
    expect((await readFile(file)).equals(bytes)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('with other bytes, or more of them, are refused and leave no file', async () => {
    const { job, lease } = await claimed({ source: { kind: 'source_bundle', bytes: 'the bytes' } });
    const file = join(directory, 'source');
    for (const bytes of ['the bytez', 'the bytes and more', 'the byte']) {
      control.artifacts.set(reference(job).digest, Buffer.from(bytes));
      await expect(plane.readArtifact(lease, reference(job), once)).rejects.toBeInstanceOf(ArtifactCorrupt);
      await expect(plane.saveArtifact(lease, reference(job), file, once)).rejects.toBeInstanceOf(ArtifactCorrupt);
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  test('of unknown size (0) are read and checked all the same', async () => {
    const { job, lease } = await claimed({ packet: { kind: 'packet', bytes: 'a packet' } });
    expect(Buffer.from(await plane.readArtifact(lease, { ...reference(job), size: 0 }, once)).toString()).toBe(
      'a packet',
    );
  });

  test('are uploaded in chunks from a file; an empty one too', async () => {
    const { lease } = await claimed();
    const bytes = randomBytes(LIMITS.artifact.chunkBytes * 2 + 17);
    const file = join(directory, 'large');
    await writeFile(file, bytes);
    const upload = { kind: 'log', mediaType: 'application/octet-stream' } as const;
    const large = await plane.upload(lease, { ...upload, content: { file } }, once);
    expect(control.artifacts.get(large.digest)?.equals(bytes)).toBe(true);
    expect(control.calls.filter((call) => call.startsWith('PUT'))).toHaveLength(3);
    const empty = await plane.upload(lease, { ...upload, content: { bytes: new Uint8Array() } }, once);
    expect(control.artifacts.get(empty.digest)?.length).toBe(0);
  });

  test('go on where they were when a chunk or its answer was lost', async () => {
    const { lease } = await claimed();
    const bytes = randomBytes(LIMITS.artifact.chunkBytes + 5);
    control.faults.push(
      { method: 'PUT', path: /offset=0$/, does: 'lose_answer', times: 1 },
      { method: 'PUT', path: /offset=8/, does: 'hang_up', times: 1 },
    );
    const upload = { kind: 'log', mediaType: 'application/octet-stream', content: { bytes } } as const;
    const done = await plane.upload(lease, upload, soon());
    expect(control.artifacts.get(done.digest)?.equals(bytes)).toBe(true);
    // It asked how far the plane had got instead of sending on blindly.
    expect(control.calls.some((call) => call.startsWith('GET') && call.includes('/uploads/'))).toBe(true);
    const puts = control.calls.filter((call) => call.startsWith('PUT')).length;
    expect(await plane.upload(lease, upload, soon())).toEqual(done);
    expect(control.calls.filter((call) => call.startsWith('PUT'))).toHaveLength(puts);
  });

  test('are not uploaded under a lease that is lost', async () => {
    const { job, lease } = await claimed();
    control.takeAway(job);
    await expect(
      plane.upload(lease, { kind: 'log', mediaType: 'text/plain', content: { bytes: Buffer.from('late') } }, soon()),
    ).rejects.toMatchObject({ code: 'FACTORY-LEASE-LOST' });
    expect(job.staleCalls).toBe(1);
  });
});
