import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIVITY_TEXT } from '../../shared/activity/activity.ts';
import { openTableFeed } from '../../shared/activity/table-feed.ts';
import { createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openBlobObjects } from '../../shared/artifacts/objects/blob-objects.ts';
import { openBlobStaging } from '../../shared/artifacts/uploads/blob-staging.ts';
import type { Announcement } from '../../shared/artifacts/uploads/staging.ts';
import { createUploads } from '../../shared/artifacts/uploads/uploads.ts';
import { anchorName } from '../../shared/audit/anchor/anchor-store.ts';
import { openBlobAnchors } from '../../shared/audit/anchor/blob-anchors.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { collected, inChunks, objectIds, place } from '../artifacts/place.ts';
import { seed, tenant } from '../store/fixture.ts';
import { type Emulator, startAzurite } from './azurite.ts';

let emulator: Emulator;
let containers = 0;
const freshContainer = () => emulator.container(`container-${++containers}`);
const away = { status: 503, code: 'FACTORY-STORE-UNAVAILABLE' };

beforeAll(async () => {
  emulator = await startAzurite();
});
afterAll(() => emulator.stop());

describe('objects in blobs', () => {
  it('gives back what was put, of one block or many, and says size, time and absence', async () => {
    const objects = openBlobObjects(await freshContainer());
    const before = Date.now() - 2_000;
    for (const bytes of [Buffer.alloc(0), randomBytes(1_000), randomBytes(9 * 1024 * 1024 + 7)]) {
      const id = newId('object', Date.now());
      expect(await objects.read(id)).toBeUndefined();
      expect(await objects.stat(id)).toBeUndefined();
      expect(await objects.put(id, inChunks(bytes, 65_000))).toBe(bytes.byteLength);
      expect((await collected((await objects.read(id))!)).equals(bytes)).toBe(true);
      const stat = await objects.stat(id);
      expect(stat).toMatchObject({ id, bytes: bytes.byteLength });
      expect(stat!.modifiedAt).toBeGreaterThan(before);
    }
  });

  it('shows nothing of a put that failed half way, and lists and deletes objects alone', async () => {
    const container = await freshContainer();
    const objects = openBlobObjects(container);
    const failing = newId('object', 1);
    const broken = async function* () {
      yield randomBytes(5 * 1024 * 1024);
      yield randomBytes(5 * 1024 * 1024);
      throw new Error('the source broke off');
    };
    await expect(objects.put(failing, broken())).rejects.toThrow('the source broke off');
    expect(await objects.stat(failing)).toBeUndefined();
    expect(await objectIds(objects)).toEqual([]);

    const ids = [newId('object', 2), newId('object', 3)].sort();
    for (const id of ids) await objects.put(id, [Buffer.from(id)]);
    await container.getBlockBlobClient('ab/not-an-object').upload('x', 1);
    expect(await objectIds(objects)).toEqual(ids);
    await objects.delete(ids[0]!);
    await objects.delete(ids[0]!);
    expect(await objectIds(objects)).toEqual([ids[1]]);
  });

  it('carries sealed artifacts, and shows a changed blob as tampered', async () => {
    const container = await freshContainer();
    const objects = openBlobObjects(container);
    const parts = await place();
    const artifacts = createArtifacts({ ...parts, objects });
    const bytes = randomBytes(300_000);
    await artifacts.put(bytes, { mediaType: 'text/plain', kind: 'log' });
    expect((await artifacts.bytes(digestOfBytes(bytes))).equals(bytes)).toBe(true);
    const [id] = await objectIds(objects);
    const sealed = await collected((await objects.read(id!))!);
    sealed[1_000]! ^= 1;
    await objects.put(id!, [sealed]);
    await expect(artifacts.bytes(digestOfBytes(bytes))).rejects.toThrow();
  });

  it('says that the storage is away when it is', async () => {
    const objects = openBlobObjects(emulator.nowhere().container);
    const id = newId('object', 1);
    await expect(objects.put(id, [Buffer.from('x')])).rejects.toMatchObject(away);
    await expect(objects.read(id)).rejects.toMatchObject(away);
    await expect(objects.stat(id)).rejects.toMatchObject(away);
  });
});

describe('staging in append blobs', () => {
  const job = newId('job', 1);
  const announcement = (expiresAt: number): Announcement => ({
    tenant: newId('tenant', 1),
    job,
    epoch: 1,
    digest: digestOfBytes('x'),
    size: 10,
    kind: 'log',
    mediaType: 'text/plain',
    expiresAt,
  });

  it('keeps announcements and parts, takes a repeated or overlapping chunk, and leaves a hole unwritten', async () => {
    const staging = openBlobStaging(await freshContainer());
    const upload = newId('upload', 1);
    expect(await staging.announced(job, upload)).toBeUndefined();
    expect(await staging.received(job, upload)).toBe(0);
    expect(await collected(staging.read(job, upload))).toHaveLength(0);
    const announced = announcement(1_000);
    await staging.begin(upload, announced);
    await staging.begin(upload, announced);
    expect(await staging.announced(job, upload)).toEqual(announced);
    expect(await staging.countOfJob(job)).toBe(1);
    expect(await staging.countOfJob(newId('job', 2))).toBe(0);

    const bytes = Buffer.from('0123456789');
    expect(await staging.write(job, upload, 0, bytes.subarray(0, 4))).toBe(4);
    expect(await staging.write(job, upload, 0, bytes.subarray(0, 4))).toBe(4);
    expect(await staging.write(job, upload, 2, bytes.subarray(2, 7))).toBe(7);
    expect(await staging.write(job, upload, 9, bytes.subarray(9))).toBe(7);
    expect(await staging.write(job, upload, 7, bytes.subarray(7))).toBe(10);
    expect((await collected(staging.read(job, upload))).toString()).toBe('0123456789');
    await staging.remove(job, upload);
    await staging.remove(job, upload);
    expect(await staging.countOfJob(job)).toBe(0);
    expect(await staging.received(job, upload)).toBe(0);
  });

  it('appends once for two writers of one chunk, and a chunk of the largest size', async () => {
    const staging = openBlobStaging(await freshContainer());
    const upload = newId('upload', 1);
    await staging.begin(upload, announcement(1_000));
    const chunk = randomBytes(LIMITS.artifact.chunkBytes);
    const answers = await Promise.all([0, 1].map(() => staging.write(job, upload, 0, chunk)));
    expect(Math.max(...answers)).toBe(chunk.byteLength);
    expect(await staging.received(job, upload)).toBe(chunk.byteLength);
    expect((await collected(staging.read(job, upload))).equals(chunk)).toBe(true);
  });

  it('sweeps what expired and parts that nobody announced, and no more', async () => {
    const container = await freshContainer();
    const staging = openBlobStaging(container);
    const [expired, current, orphan] = [newId('upload', 1), newId('upload', 2), newId('upload', 3)];
    await staging.begin(expired, announcement(1_000));
    await staging.begin(current, announcement(Number.MAX_SAFE_INTEGER));
    for (const upload of [expired, current, orphan]) await staging.write(job, upload, 0, Buffer.from('part'));
    expect(await staging.sweep(999)).toBe(0);
    expect(await staging.sweep(1_001)).toBe(1);
    expect(await staging.received(job, expired)).toBe(0);
    expect(await staging.received(job, orphan)).toBe(4);
    expect(await staging.sweep(Date.now() + LIMITS.artifact.uploadMs + 5_000)).toBe(0);
    expect(await staging.received(job, orphan)).toBe(0);
    expect(await staging.received(job, current)).toBe(4);
  });

  it('carries uploads as the directory does', async () => {
    const parts = await place();
    const { jobs } = await seed(parts.store);
    const tenantId = tenant;
    const artifacts = createArtifacts({ ...parts, tenantId });
    const staging = openBlobStaging(await freshContainer());
    const uploads = createUploads({ ...parts, tenantId, artifacts, staging });
    const lease = { job: jobs[0]!.id, epoch: 1, *guard() {} };
    const bytes = randomBytes(3_000);
    const announced = { digest: digestOfBytes(bytes), size: 3_000, kind: 'log', mediaType: 'text/plain' } as const;
    const { upload } = await uploads.begin(lease, announced);
    await uploads.append(lease, upload, 0, randomBytes(1_000));
    await uploads.append(lease, upload, 1_000, bytes.subarray(1_000, 2_000));
    await expect(uploads.append(lease, upload, 2_000, bytes.subarray(2_000))).rejects.toMatchObject({
      code: 'FACTORY-DIGEST-MISMATCH',
    });
    await uploads.begin(lease, announced);
    for (const at of [0, 1_000, 1_000, 2_000]) await uploads.append(lease, upload, at, bytes.subarray(at, at + 1_000));
    expect((await artifacts.bytes(announced.digest)).equals(bytes)).toBe(true);
    expect(await staging.countOfJob(lease.job)).toBe(0);
  });

  it('says that the storage is away when it is', async () => {
    const staging = openBlobStaging(emulator.nowhere().container);
    await expect(staging.received(job, newId('upload', 1))).rejects.toMatchObject(away);
    await expect(staging.sweep(1)).rejects.toMatchObject(away);
  });
});

describe('anchors in blobs', () => {
  it('takes a name once, of two at once too, and lists in order behind a name', async () => {
    const anchors = openBlobAnchors(await freshContainer());
    expect(await anchors.read(anchorName(1))).toBeUndefined();
    const answers = await Promise.all(['one', 'two'].map((text) => anchors.create(anchorName(1), text)));
    expect(answers.sort()).toEqual(['created', 'taken']);
    const kept = await anchors.read(anchorName(1));
    expect(await anchors.create(anchorName(1), 'three')).toBe('taken');
    expect(await anchors.read(anchorName(1))).toBe(kept);
    for (const sequence of [12, 2, 3]) await anchors.create(anchorName(sequence), 'x');
    const listed: string[] = [];
    for await (const name of anchors.list(anchorName(1))) listed.push(name);
    expect(listed).toEqual([2, 3, 12].map(anchorName));
  });

  it('says that the storage is away when it is, and never that a name is taken', async () => {
    const anchors = openBlobAnchors(emulator.nowhere().container);
    await expect(anchors.create(anchorName(1), 'x')).rejects.toMatchObject(away);
    await expect(anchors.read(anchorName(1))).rejects.toMatchObject(away);
  });
});

describe('the activity feed in a table', () => {
  const application = newId('application', 1);
  const entry = (text: string, at = Date.now()) => ({ at, what: 'job.completed', request: null, text });

  it('shows the newest entries of an application in order, and no other application', async () => {
    const feed = openTableFeed(await emulator.table('feed'));
    const request = newId('request', 1);
    const at = Date.now();
    for (let index = 0; index < 20; index++) await feed.append(application, entry(`${index}`, at));
    await feed.append(application, { ...entry('x'.repeat(5_000), at + 1), request });
    const latest = await feed.latest(application, 3);
    expect(latest.map((each) => each.text)).toEqual(['18', '19', 'x'.repeat(ACTIVITY_TEXT)]);
    expect(latest.at(-1)).toEqual({ at: at + 1, what: 'job.completed', request, text: 'x'.repeat(ACTIVITY_TEXT) });
    expect(latest[0]!.request).toBeNull();
    expect(await feed.latest(application, 0)).toEqual([]);
    expect(await feed.latest(newId('application', 5), 10)).toEqual([]);
    expect(await feed.latest(application, 1_000)).toHaveLength(21);
  });

  it('removes entries that are a month old', async () => {
    const table = await emulator.table('old');
    const longAgo = Date.now() - 40 * 24 * 60 * 60_000;
    const writer = openTableFeed(table);
    await writer.append(application, entry('new'));
    for (let index = 0; index < 3; index++) await writer.append(application, entry('old', longAgo + index));
    const feed = openTableFeed(table);
    await feed.append(application, entry('newest'));
    await expect
      .poll(async () => (await feed.latest(application, 10)).map((each) => each.text))
      .toEqual(['new', 'newest']);
  });

  it('never fails whoever does the work', async () => {
    const feed = openTableFeed(emulator.nowhere().table);
    expect(await feed.append(application, entry('lost'))).toBe(false);
  });
});
