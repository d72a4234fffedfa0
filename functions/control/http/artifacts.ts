import { z } from 'zod';
import { DELTA_INPUT_BYTES, delta } from '../../../shared/artifacts/delta.ts';
import { isHiddenKind } from '../../../shared/domain/application/holdouts.ts';
import { type Digest, parseDigest } from '../../../shared/domain/digest.ts';
import { parseId } from '../../../shared/domain/ids.ts';
import { notFound } from '../../../shared/domain/refusal.ts';
import { ownsPolicyOf } from '../../../shared/gates/holdout-rights.ts';
import type { ResourceOf } from '../../../shared/gates/policy/actions.ts';
import { hasCurrent } from '../../../shared/http/etag.ts';
import { readApplication } from '../../../shared/store/applications/applications.ts';
import { artifactReferencesTo } from '../../../shared/store/artifacts/references.ts';
import { type Command, one, rows } from '../../../shared/store/command.ts';
import { readInstallation } from '../../../shared/store/installations/installations.ts';
import { readJob } from '../../../shared/store/jobs/read.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import type { Database } from '../../../shared/store/schema/tables.ts';
import type { Plane } from '../plane.ts';
import { contentOf, RANGE } from './artifact-content.ts';
import { type Call, route } from './route.ts';

type Reference = Readonly<Database['artifact_references']>;
type Readable = { readonly resource: ResourceOf<'readArtifact'>; readonly definitions: Digest | null };

/** Bytes that many requests share have many references; more are not looked at. */
const REFERENCES = 200;

const read = route({
  method: 'GET',
  path: '/artifacts/{digest}',
  name: 'artifacts-read',
  summary:
    'An artifact, for who may read something that refers to it. `?from=` answers the smallest of JSON Patch, unified diff and the whole.',
  access: { kind: 'policy', action: 'readArtifact', by: 'route' },
  headers: RANGE,
  query: z.strictObject({ from: z.string().optional() }),
  answers: {
    200: 'The bytes, or with ?from= a delta whose Content-Type says its form',
    206: 'The range of bytes that was asked for',
    304: 'Not modified',
  },
  async handle(call) {
    const digest = call.digest('digest');
    await permitRead(call, digest);
    const stat = await call.plane.artifacts.stat(digest);
    if (stat === undefined) throw notFound(`Artifact ${digest}`);
    const from = call.query.from === undefined ? undefined : parseDigest(call.query.from);
    if (call.query.from !== undefined && from === undefined)
      throw notFound(`Artifact ${JSON.stringify(call.query.from.slice(0, 80))}`);
    const tag = `"${from === undefined ? digest : `${from}..${digest}`}"`;
    // A digest names its bytes for ever; only whether the caller may read them can change.
    const cacheControl = 'private, no-cache';
    const headers = {
      etag: tag,
      'cache-control': cacheControl,
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment',
    };
    if (hasCurrent(call.headers, tag)) return { status: 304, headers };
    if (from === undefined || stat.size > DELTA_INPUT_BYTES)
      return await contentOf(call.plane.artifacts, call, digest, { mediaType: stat.mediaType, cacheControl, tag });
    await permitRead(call, from);
    const [before, after] = [await call.plane.artifacts.bytes(from), await call.plane.artifacts.bytes(digest)];
    const changed = delta(before, after, stat.mediaType);
    return {
      status: 200,
      body: changed.bytes,
      headers: { ...headers, 'content-type': changed.mediaType, 'factory-delta': changed.form },
    };
  },
});

/** 404 unless policy permits reading the artifact as what at least one of its references says it is. */
async function permitRead(call: Call<unknown, unknown>, digest: Digest): Promise<void> {
  const { plane } = call;
  const kinds: string[] = [];
  const readable = await plane.store.read('artifacts.referencesTo', function* () {
    const references = yield* rows(artifactReferencesTo({ tenant: plane.tenant, digest }));
    const found: Readable[] = [];
    kinds.push(...references.map(({ kind }) => kind));
    // What hides comes first: it must not be behind the last reference that is looked at.
    const ordered = references.toSorted((a, b) => Number(isHiddenKind(b.kind)) - Number(isHiddenKind(a.kind)));
    for (const reference of ordered.slice(0, REFERENCES)) {
      const one = yield* readableBy(plane, reference);
      if (one !== undefined) found.push(one);
      // Nobody may read what is hidden by an owner that can't be told.
      else if (isHiddenKind(reference.kind)) found.push(hiddenByNobody(plane, reference));
    }
    return found;
  });
  plane.hiding.guard(kinds);
  // One reference that says so hides the bytes, whatever others say. Decided here: an installed policy can't open what is hidden.
  const hidden = readable.filter(({ resource }) => isHiddenKind(resource.kind));
  if (!hidden.every(({ resource }) => ownsPolicyOf(call.actor, resource.application)))
    throw notFound(`Artifact ${digest}`);
  const asked = hidden.length === 0 ? readable : hidden;
  const nothing: Readable = {
    definitions: null,
    resource: { id: digest, tenant: 'none', application: 'none', kind: 'none', requestedBy: 'none' },
  };
  for (const { definitions, resource } of asked.length > 0 ? asked : [nothing])
    if (await call.allows('readArtifact', definitions, resource)) return;
  throw notFound(`Artifact ${digest}`);
}

const hiddenByNobody = ({ tenant }: Plane, { digest, kind }: Reference): Readable => ({
  definitions: null,
  resource: { id: digest, tenant, kind, application: 'none', requestedBy: 'nobody' },
});

function* readableBy(
  plane: Plane,
  { owner_type: type, owner_id: owner, kind, digest }: Reference,
): Command<Readable | undefined> {
  const { tenant } = plane;
  const resource = { id: digest, tenant, kind };
  const ofApplication = function* (
    id: Parameters<typeof readApplication>[0]['application'],
    requestedBy: string,
  ): Command<Readable> {
    const application = yield* one(readApplication({ tenant, application: id }));
    return {
      definitions: application?.definitions_digest ?? null,
      resource: { ...resource, application: id, requestedBy },
    };
  };
  switch (type) {
    case 'request':
    case 'job': {
      const job = type === 'job' ? parseId('job', owner) : undefined;
      const id = job === undefined ? parseId('request', owner) : (yield* one(readJob({ tenant, job })))?.request_id;
      const request = id === undefined ? undefined : yield* one(readRequest({ tenant, request: id }));
      return request === undefined ? undefined : yield* ofApplication(request.application_id, request.requested_by);
    }
    case 'application': {
      const application = parseId('application', owner);
      return application === undefined ? undefined : yield* ofApplication(application, 'nobody');
    }
    case 'installation': {
      const id = parseId('installation', owner);
      const installation = id === undefined ? undefined : yield* one(readInstallation({ tenant, installation: id }));
      return installation === undefined
        ? undefined
        : yield* ofApplication(installation.application_id, installation.requested_by);
    }
    case 'definitions':
    case 'tenant':
      return { definitions: null, resource: { ...resource, application: 'none', requestedBy: 'nobody' } };
  }
}

export const artifactRoutes = [read];
