import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openStaging } from '../../shared/artifacts/uploads/staging.ts';
import { createUploads, type UploadLease, type Uploads } from '../../shared/artifacts/uploads/uploads.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId, type TenantId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { leaseLost } from '../../shared/domain/refusal.ts';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { uploadsOfJob } from '../../shared/store/artifacts/uploads.ts';
import { rows, writeOne } from '../../shared/store/command.ts';
import { insertJobs } from '../../shared/store/jobs/insert.ts';
import { insertNodes } from '../../shared/store/nodes/insert.ts';
import { insertRequest } from '../../shared/store/requests/insert.ts';
import { applicationRow, jobRow, nodeRow, requestRow } from '../store/fixture.ts';
import { directory, objectIds, type Place, place } from './place.ts';

type Bench = Place & { readonly uploads: Uploads; readonly lease: UploadLease; current: boolean };

const announced = (bytes: Uint8Array) =>
  ({ digest: digestOfBytes(bytes), size: bytes.byteLength, kind: 'log', mediaType: 'text/plain' }) as const;

async function bench(options: { now?: () => number; path?: string; tenantId?: TenantId } = {}): Promise<Bench> {
  const parts = await place(options);
  const tenantId = options.tenantId ?? parts.tenantId;
  const application = { ...applicationRow(), tenant_id: tenantId };
  const request = { ...requestRow(application), tenant_id: tenantId };
  const node = { ...nodeRow(request, 'implement'), tenant_id: tenantId };
  const job = { ...jobRow(request, node, 0), tenant_id: tenantId };
  await parts.store.run('test', function* () {
    yield* writeOne(insertApplication(application));
    yield* writeOne(insertRequest(request));
    yield* writeOne(insertNodes([node]));
    yield* writeOne(insertJobs([job]));
  });
  const artifacts = createArtifacts({ ...parts, tenantId, ...(options.now === undefined ? {} : { now: options.now }) });
  const staging = await openStaging(join(parts.path, 'staging'));
  const uploads = createUploads({
    ...parts,
    tenantId,
    artifacts,
    staging,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const made: Bench = {
    ...parts,
    tenantId,
    artifacts,
    uploads,
    current: true,
    lease: {
      job: job.id,
      epoch: 1,
      *guard() {
        const held = yield* rows(uploadsOfJob({ tenant: tenantId, job: job.id, epoch: 1 }));
        if (!made.current || held.length > 1_000) throw leaseLost(job.id);
      },
    },
  };
  return made;
}

describe('uploads', () => {
  it('takes bytes in one chunk or many, records them under the job and epoch, and answers a repeat alike', async () => {
    const { uploads, lease, artifacts, store, tenantId, path } = await bench();
    const small = randomBytes(1_000);
    const first = await uploads.begin(lease, announced(small));
    expect(first).toMatchObject({ offset: 0, complete: false });
    expect(await uploads.begin(lease, announced(small))).toEqual(first);
    const done = { upload: first.upload, offset: 1_000, complete: true };
    expect(await uploads.append(lease, first.upload, 0, small)).toEqual(done);
    // The answer was lost: the same call, a question and a new beginning all say that it is complete.
    expect(await uploads.append(lease, first.upload, 0, small)).toEqual(done);
    expect(await uploads.state(lease, first.upload)).toEqual(done);
    expect(await uploads.begin(lease, announced(small))).toEqual(done);

    const large = randomBytes(250_000);
    const { upload } = await uploads.begin(lease, announced(large));
    for (let offset = 0; offset < large.byteLength; offset += 100_000)
      await uploads.append(lease, upload, offset, large.subarray(offset, offset + 100_000));
    expect((await artifacts.bytes(digestOfBytes(large))).equals(large)).toBe(true);
    const recorded = await store.read('test', () => rows(uploadsOfJob({ tenant: tenantId, job: lease.job, epoch: 1 })));
    expect(new Set(recorded.map((row) => row.digest))).toEqual(new Set([digestOfBytes(small), digestOfBytes(large)]));
    expect((await readdir(join(path, 'staging', lease.job))).length).toBe(0);
    expect((await stat(join(path, 'staging'))).mode & 0o777).toBe(0o700);
  });

  it('takes no bytes at all as a complete upload', async () => {
    const { uploads, lease, artifacts } = await bench();
    expect(await uploads.begin(lease, announced(Buffer.alloc(0)))).toMatchObject({ offset: 0, complete: true });
    expect(await artifacts.bytes(digestOfBytes(''))).toHaveLength(0);
  });

  it('lets a repeated chunk pass and refuses a hole, saying where to go on', async () => {
    const { uploads, lease, artifacts } = await bench();
    const bytes = randomBytes(3_000);
    const { upload } = await uploads.begin(lease, announced(bytes));
    const chunk = (at: number): Buffer => bytes.subarray(at, at + 1_000);
    await expect(uploads.append(lease, upload, 1_000, chunk(1_000))).rejects.toMatchObject({
      status: 409,
      code: 'FACTORY-UPLOAD-OFFSET',
      details: [{ pointer: '/offset', message: '0' }],
    });
    await uploads.append(lease, upload, 0, chunk(0));
    expect(await uploads.append(lease, upload, 0, chunk(0))).toMatchObject({ offset: 1_000, complete: false });
    await expect(uploads.append(lease, upload, 2_000, chunk(2_000))).rejects.toMatchObject({
      code: 'FACTORY-UPLOAD-OFFSET',
      details: [{ message: '1000' }],
    });
    // One that overlaps what is there and goes on.
    expect(await uploads.append(lease, upload, 500, bytes.subarray(500, 2_000))).toMatchObject({ offset: 2_000 });
    expect(await uploads.append(lease, upload, 2_000, chunk(2_000))).toMatchObject({ offset: 3_000, complete: true });
    expect((await artifacts.bytes(digestOfBytes(bytes))).equals(bytes)).toBe(true);
  });

  it('refuses other bytes than were announced, keeps nothing of them, and can start over', async () => {
    const { uploads, lease, artifacts, objects } = await bench();
    const bytes = randomBytes(2_000);
    const wrong = randomBytes(2_000);
    const mismatch = { status: 422, code: 'FACTORY-DIGEST-MISMATCH' };
    const { upload } = await uploads.begin(lease, announced(bytes));
    await expect(uploads.append(lease, upload, 0, wrong)).rejects.toMatchObject(mismatch);
    await uploads.begin(lease, announced(bytes));
    await uploads.append(lease, upload, 0, bytes.subarray(0, 1_000));
    await expect(uploads.append(lease, upload, 1_000, wrong.subarray(1_000))).rejects.toMatchObject(mismatch);
    await uploads.begin(lease, announced(bytes));
    await expect(uploads.append(lease, upload, 0, Buffer.concat([bytes, bytes]))).rejects.toMatchObject(mismatch);
    expect(await objectIds(objects)).toEqual([]);
    expect(await artifacts.stat(digestOfBytes(wrong))).toBeUndefined();

    await uploads.begin(lease, announced(bytes));
    expect(await uploads.append(lease, upload, 0, bytes)).toMatchObject({ complete: true });
  });

  it('is known to its own job and epoch only', async () => {
    const { uploads, lease } = await bench();
    const bytes = randomBytes(2_000);
    const { upload } = await uploads.begin(lease, announced(bytes));
    await uploads.append(lease, upload, 0, bytes.subarray(0, 1_000));
    const absent = { status: 404, code: 'FACTORY-NOT-FOUND' };
    const later = { ...lease, epoch: 2 };
    await expect(uploads.append(later, upload, 1_000, bytes.subarray(1_000))).rejects.toMatchObject(absent);
    await expect(uploads.state(later, upload)).rejects.toMatchObject(absent);
    await expect(uploads.state({ ...lease, job: newId('job', 9) }, upload)).rejects.toMatchObject(absent);
    await uploads.append(lease, upload, 1_000, bytes.subarray(1_000));
    await expect(uploads.state(later, upload)).rejects.toMatchObject(absent);
    expect((await uploads.begin(later, announced(bytes))).upload).not.toBe(upload);
  });

  it('records nothing when the lease was lost meanwhile', async () => {
    const made = await bench();
    const { uploads, lease, artifacts, objects } = made;
    const bytes = randomBytes(2_000);
    const { upload } = await uploads.begin(lease, announced(bytes));
    made.current = false;
    await expect(uploads.append(lease, upload, 0, bytes)).rejects.toMatchObject({
      status: 409,
      code: 'FACTORY-LEASE-LOST',
    });
    expect(await artifacts.stat(digestOfBytes(bytes))).toBeUndefined();
    expect(await objectIds(objects)).toEqual([]);
  });

  it('goes the same way for bytes that the tenant has already, and keeps the first object', async () => {
    const { uploads, lease, artifacts, objects } = await bench();
    const bytes = randomBytes(2_000);
    await artifacts.put(bytes, { mediaType: 'text/plain', kind: 'log' });
    const before = await objectIds(objects);
    const begun = await uploads.begin(lease, announced(bytes));
    expect(begun).toMatchObject({ offset: 0, complete: false });
    expect(await uploads.append(lease, begun.upload, 0, bytes.subarray(0, 500))).toMatchObject({
      offset: 500,
      complete: false,
    });
    expect(await uploads.append(lease, begun.upload, 500, bytes.subarray(500))).toMatchObject({ complete: true });
    expect(await objectIds(objects)).toEqual(before);
  });

  it('bounds size, chunk and number, and sweeps what expired', async () => {
    let now = 1_000_000;
    const { uploads, lease, path } = await bench({ now: () => now });
    const over = { ...announced(Buffer.alloc(1)), size: LIMITS.artifact.bytes + 1 };
    await expect(uploads.begin(lease, over)).rejects.toMatchObject({ status: 422, code: 'FACTORY-ARTIFACT-TOO-LARGE' });
    const large = { ...announced(Buffer.alloc(1)), size: LIMITS.artifact.chunkBytes + 1 };
    const { upload } = await uploads.begin(lease, large);
    await expect(uploads.append(lease, upload, 0, Buffer.alloc(LIMITS.artifact.chunkBytes + 1))).rejects.toMatchObject({
      status: 413,
    });
    for (let index = 1; index < LIMITS.artifact.uploadsPerJob; index++)
      await uploads.begin(lease, announced(Buffer.from(`${index}`)));
    await expect(uploads.begin(lease, announced(Buffer.from('one more')))).rejects.toMatchObject({
      status: 429,
      code: 'FACTORY-UPLOADS-EXCEEDED',
    });

    const staging = await openStaging(join(path, 'staging'));
    expect(await staging.sweep(now)).toBe(0);
    now += LIMITS.artifact.uploadMs + 1;
    await expect(uploads.state(lease, upload)).rejects.toMatchObject({ status: 404 });
    expect(await staging.sweep(now)).toBe(LIMITS.artifact.uploadsPerJob);
    expect(await staging.sweep(now)).toBe(0);
    expect(await readdir(join(path, 'staging'))).toEqual([]);
  });

  it('goes on after the process that took the first chunks was killed', async () => {
    const path = await directory();
    const tenantId = newId('tenant', 1);
    const first = await bench({ path, tenantId });
    const job = first.lease.job;
    const size = 200_000;
    const bytes = Buffer.concat(Array.from({ length: 200 }, (_, index) => Buffer.alloc(1_000, index)));
    await first.store.close();

    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./uploading-process.ts', import.meta.url)),
        path,
        job,
        digestOfBytes(bytes),
        String(size),
        tenantId,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exit = once(child, 'exit');
    let told = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      told = Math.max(told, Number(line));
      if (told >= 20_000) child.kill('SIGKILL');
    }
    expect(await exit).toEqual([null, 'SIGKILL']);

    const parts = await place({ path });
    const artifacts = createArtifacts({ ...parts, tenantId });
    const uploads = createUploads({ ...parts, tenantId, artifacts, staging: await openStaging(join(path, 'staging')) });
    const again = await uploads.begin(first.lease, announced(bytes));
    expect(again.complete).toBe(false);
    expect(again.offset).toBeGreaterThanOrEqual(told);
    expect(await uploads.append(first.lease, again.upload, again.offset, bytes.subarray(again.offset))).toMatchObject({
      offset: size,
      complete: true,
    });
    expect((await artifacts.bytes(digestOfBytes(bytes))).equals(bytes)).toBe(true);
  });
});
