import { z } from 'zod';
import type { UploadLease } from '../../../shared/artifacts/uploads/uploads.ts';
import { parseDigest } from '../../../shared/domain/digest.ts';
import { LIMITS } from '../../../shared/domain/limits.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { currentLease } from '../../../shared/jobs/held-lease.ts';
import { hiddenInputs } from '../../../shared/jobs/hidden-inputs.ts';
import { uploadBody } from '../../../shared/jobs/protocol.ts';
import { uploadsOfJob } from '../../../shared/store/artifacts/uploads.ts';
import { one, rows, unchanged } from '../../../shared/store/command.ts';
import { jobInputsOf, latestCheckpoint } from '../../../shared/store/jobs/artifacts.ts';
import { contentOf, RANGE } from './artifact-content.ts';
import { LEASE, WORKERS } from './jobs.ts';
import { type Call, ok, route } from './route.ts';

/** The lease under which something is uploaded, looked at now and again inside the transaction that records the upload. */
async function uploadLease(call: Call<unknown, unknown>): Promise<UploadLease> {
  const job = call.id('job', 'job');
  const token = call.leaseToken();
  const { plane, actor } = call;
  const epoch = await plane.store.run('job.lease', function* () {
    return unchanged((yield* currentLease(plane.context, actor, job, token)).job.lease_epoch);
  });
  return {
    job,
    epoch,
    *guard() {
      yield* currentLease(plane.context, actor, job, token);
    },
  };
}

const read = route({
  method: 'GET',
  path: '/jobs/{job}/artifacts/{digest}',
  name: 'jobs-artifact',
  summary:
    'An artifact by capability: an input of the leased job, its checkpoint, or what was uploaded under this lease; nothing else.',
  access: WORKERS,
  headers: { ...LEASE, ...RANGE },
  answers: { 200: 'The bytes', 206: 'The range of bytes that was asked for', 404: 'It is none of these' },
  async handle(call) {
    const job = call.id('job', 'job');
    const digest = call.digest('digest');
    const token = call.leaseToken();
    const { plane, actor } = call;
    const mediaType = await plane.store.run('job.artifact', function* () {
      const { job: held, request } = yield* currentLease(plane.context, actor, job, token);
      const of = { tenant: plane.tenant, job };
      // The lease alone is not enough: a role that was withdrawn since the claim opens nothing hidden any more.
      const hidden = actor.roles.includes('verifier') ? yield* hiddenInputs(request, held) : [];
      const opened = hidden.find((candidate) => candidate.digest === digest);
      if (opened !== undefined) return unchanged(opened.mediaType);
      const input = (yield* rows(jobInputsOf(of))).find((candidate) => candidate.digest === digest);
      if (input !== undefined) {
        plane.hiding.guard([input.kind]);
        return unchanged(input.media_type);
      }
      if ((yield* one(latestCheckpoint(of)))?.digest === digest) return unchanged('application/octet-stream');
      const upload = (yield* rows(uploadsOfJob({ ...of, epoch: held.lease_epoch }))).find(
        (candidate) => candidate.digest === digest && candidate.state === 'complete',
      );
      return unchanged(upload?.media_type);
    });
    if (mediaType === undefined) throw notFound(`Artifact ${digest}`);
    const cacheControl = 'private, no-store';
    return await contentOf(plane.artifacts, call, digest, { mediaType, cacheControl, tag: `"${digest}"` });
  },
});

const begin = route({
  method: 'POST',
  path: '/jobs/{job}/uploads',
  name: 'uploads-begin',
  summary: 'Begins, or finds again, the upload of an artifact under this lease.',
  access: WORKERS,
  headers: LEASE,
  body: uploadBody,
  answers: { 201: z.object({ upload: z.string(), offset: z.int(), complete: z.boolean() }) },
  async handle(call) {
    const lease = await uploadLease(call);
    const { kind, mediaType, size } = call.body;
    const digest = parseDigest(call.body.digest);
    if (digest === undefined) throw notFound('The digest');
    const state = await call.plane.uploads.begin(lease, { kind, mediaType, size, digest });
    return { status: 201, json: state, headers: { location: `/api/v1/jobs/${lease.job}/uploads/${state.upload}` } };
  },
});

const uploadState = z.object({ upload: z.string(), offset: z.int(), complete: z.boolean() });

const put = route({
  method: 'PUT',
  path: '/jobs/{job}/uploads/{upload}',
  name: 'uploads-put',
  summary: `A chunk of at most ${LIMITS.artifact.chunkBytes} bytes at ?offset=; the last one seals the artifact.`,
  access: WORKERS,
  headers: LEASE,
  query: z.strictObject({ offset: z.coerce.number().int().min(0).max(LIMITS.artifact.bytes) }),
  raw: ['application/octet-stream'],
  answers: { 200: uploadState },
  async handle(call) {
    const upload = call.id('upload', 'upload');
    const lease = await uploadLease(call);
    const chunk = await call.bytes(LIMITS.artifact.chunkBytes);
    return ok(await call.plane.uploads.append(lease, upload, call.query.offset, chunk));
  },
});

const state = route({
  method: 'GET',
  path: '/jobs/{job}/uploads/{upload}',
  name: 'uploads-read',
  summary: 'How far an upload got.',
  access: WORKERS,
  headers: LEASE,
  answers: { 200: uploadState },
  async handle(call) {
    const upload = call.id('upload', 'upload');
    return ok(await call.plane.uploads.state(await uploadLease(call), upload));
  },
});

export const jobArtifactRoutes = [read, begin, put, state];
