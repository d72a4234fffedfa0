import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimNext, complete, expectStatus, installBench, lease, submit } from '../http/bench-line.ts';
import { type ControlProcess, type Json, startControl } from '../http/control-process.ts';
import { type StorageByIdentity, startStorageByIdentity } from './azurite-by-identity.ts';

let storage: StorageByIdentity;
let control: ControlProcess;
let places: {
  readonly artifacts: string;
  readonly staging: string;
  readonly anchors: string;
  readonly activity: string;
};

beforeAll(async () => {
  storage = await startStorageByIdentity();
  places = {
    artifacts: await storage.container('artifacts'),
    staging: await storage.container('staging'),
    anchors: await storage.container('anchors'),
    activity: await storage.table('activity'),
  };
  control = await startControl({
    ...storage.environment,
    AZURE_CLIENT_ID: storage.clientId,
    FACTORY_ARTIFACTS_URL: places.artifacts,
    FACTORY_STAGING_URL: places.staging,
    FACTORY_ANCHORS_URL: places.anchors,
    FACTORY_ACTIVITY_URL: places.activity,
  });
});
afterAll(async () => {
  // Either may not have started.
  await (control as ControlProcess | undefined)?.stop();
  await (storage as StorageByIdentity | undefined)?.stop();
});

/** A chunk waits in the container of uploads until the upload is whole, and is gone from it then. */
async function uploadInPieces(claim: Json): Promise<void> {
  const bytes = randomBytes(600_000);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const at = `/jobs/${claim['job']}/uploads`;
  const as = { as: 'station', headers: lease(claim) };
  const announced = { kind: 'log', mediaType: 'text/plain', size: bytes.length, digest };
  const { upload } = expectStatus(await control.call('POST', at, { ...as, json: announced }), 201);
  const put = (from: number, to: number) =>
    control.call('PUT', `${at}/${upload}?offset=${from}`, {
      as: 'station',
      headers: { ...lease(claim), 'content-type': 'application/octet-stream' },
      body: Uint8Array.from(bytes.subarray(from, to)),
    });
  expectStatus(await put(0, 300_000), 200);
  expect(await storage.blobs(places.staging)).not.toEqual([]);
  expect(expectStatus(await put(300_000, 600_000), 200)['complete']).toBe(true);
  expect(await storage.blobs(places.staging)).toEqual([]);
}

test('a request goes its whole way with all of its bytes in storage, reached under a managed identity', async () => {
  const application = await installBench(control);
  const request = expectStatus(await submit(control, application, 'in-azure'), 202);
  const read = (prefer: string) =>
    control.call('GET', `/requests/${request['id']}`, { as: 'requester', headers: { prefer } });
  const plan = await claimNext(control, 'station', 'plan', 'claim-plan-1');
  // Whoever starts again has the same lease secret, from storage: the lease that was given goes on.
  await control.restart();
  expectStatus(
    await control.call('POST', `/jobs/${plan['job']}/renew`, { as: 'station', headers: lease(plan), json: {} }),
    200,
  );
  await uploadInPieces(plan);
  const facts = { paths: ['src/a.js'], pathCount: 1 };
  expectStatus(await complete(control, 'station', plan, { verdict: 'ok', facts }), 200);
  const gate = expectStatus(await read('wait=20; until=gate'), 200);
  const approval = expectStatus(
    await control.call('GET', `/approvals/${gate['waitingFor']?.[0]?.['approval']}`, { as: 'approver' }),
    200,
  );
  expectStatus(
    await control.call('POST', `/approvals/${approval['id']}/decisions`, {
      as: 'approver',
      json: { decision: 'approve', subject: approval['subject'], reason: 'seen' },
    }),
    200,
  );
  for (const [worker, pool] of [
    ['station', 'build'],
    ['verifier', 'verify'],
  ] as const) {
    const claim = await claimNext(control, worker, pool, `claim-${pool}-1`);
    expectStatus(await complete(control, worker, claim, { verdict: 'ok' }), 200);
  }
  expect(expectStatus(await read('wait=20; until=terminal'), 200)['state']).toBe('terminal');
  const evidence = expectStatus(
    await control.call('GET', `/requests/${request['id']}/evidence`, { as: 'requester' }),
    200,
  );
  const bundle = await control.call('GET', `/artifacts/${evidence['bundle']}`, { as: 'auditor' });
  expect(JSON.parse(bundle.text)).toMatchObject({ payloadType: 'application/vnd.in-toto+json' });

  const blobs = await storage.blobs(places.artifacts);
  expect(blobs).toContain('lease-secret.json');
  expect(blobs.length).toBeGreaterThan(4);
  for (const name of ['artifacts', 'staging', 'anchors', 'activity'])
    expect(existsSync(path.join(control.dataDirectory, name)), name).toBe(false);
  expect(readdirSync(path.join(control.dataDirectory, 'keys'))).not.toContain('lease.key');
  expect([...storage.asked]).toEqual([storage.clientId]);
});

test('people see what went by from the table, and anchors come to lie in their container', async () => {
  const told = await storage.entities(places.activity);
  expect(told.map((entity) => entity['what'])).toEqual(expect.arrayContaining(['request.submitted', 'job.completed']));
  const seen = expectStatus(await control.call('GET', '/activity', { as: 'auditor' }), 200);
  expect(Array.isArray(seen['items'])).toBe(true);
  await expect.poll(() => storage.blobs(places.anchors)).not.toEqual([]);
});
