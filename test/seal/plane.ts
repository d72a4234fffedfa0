import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keepDeclaration } from '../../shared/applications/keep-declaration.ts';
import { registerApplication } from '../../shared/applications/register.ts';
import { createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import { BUNDLE_LIMITS, bundleFromText, type DefinitionsBundle, loadBundle } from '../../shared/definitions/bundle.ts';
import { keepInstallPlan } from '../../shared/definitions/install-plan.ts';
import { planInstallation } from '../../shared/definitions/plan-installation.ts';
import { keepBundle, publishDefinitions } from '../../shared/definitions/publish.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import { superviseInstallation } from '../../shared/definitions/supervise-installation.ts';
import { type ApplicationDeclaration, applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { canonicalJson, type Digest } from '../../shared/domain/digest.ts';
import {
  type ApplicationId,
  type InstallationId,
  type JobId,
  newId,
  type PrincipalId,
  parseId,
  type RequestId,
  type TenantId,
} from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/job/outcome.ts';
import { type Packet, packetSchema } from '../../shared/domain/packet/schema.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { decideApproval } from '../../shared/gates/decide-approval.ts';
import type { Role } from '../../shared/gates/policy/actions.ts';
import { submitRequest } from '../../shared/intake/submit.ts';
import { claimNext } from '../../shared/jobs/claim.ts';
import { finishJob } from '../../shared/jobs/finish.ts';
import type { ArtifactKind, ClaimAnswer } from '../../shared/jobs/protocol.ts';
import type { Actor, PlaneContext } from '../../shared/line/context.ts';
import { graphOf } from '../../shared/line/graph.ts';
import type { OutboxEntry } from '../../shared/outbox/entry.ts';
import type { Relay } from '../../shared/outbox/relay.ts';
import { createDocumentCache } from '../../shared/plane/documents.ts';
import { createObservers } from '../../shared/plane/observers.ts';
import { createRunner } from '../../shared/plane/run.ts';
import { createSealer } from '../../shared/plane/seal.ts';
import { findPrincipal, insertPrincipalIfAbsent } from '../../shared/store/access/principals.ts';
import { assignRole } from '../../shared/store/access/roles.ts';
import { insertTenantIfAbsent } from '../../shared/store/access/tenants.ts';
import { readApplication } from '../../shared/store/applications/applications.ts';
import { approvalsOfInstallation, approvalsOfRequest } from '../../shared/store/approvals/read.ts';
import { insertUpload } from '../../shared/store/artifacts/uploads.ts';
import { one, rows, write } from '../../shared/store/command.ts';
import { evidenceOf } from '../../shared/store/evidence/records.ts';
import { readInstallation } from '../../shared/store/installations/installations.ts';
import { insertPlane } from '../../shared/store/platform/plane.ts';
import { readRequest } from '../../shared/store/requests/read.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

export type Output = { readonly name: string; readonly kind: ArtifactKind; readonly content: unknown };

export const shippedBundle = (): Promise<DefinitionsBundle> =>
  loadBundle(path.join(import.meta.dirname, '..', '..', 'definitions'));

/** The plane's commands over a real store, real sealed artifacts and a real key in a directory of its own; what it would tell is kept in `told`. */
export async function openPlane(at: { readonly directory?: string; readonly tenant?: TenantId } = {}) {
  const directory = at.directory ?? (await mkdtemp(path.join(tmpdir(), 'factory-seal-')));
  let clock = Date.UTC(2026, 0, 1);
  const store = openSqliteStore({ file: path.join(directory, 'plane.db'), clock: () => clock });
  const tenant = at.tenant ?? newId('tenant', clock);
  const keys = await openKeyFile(path.join(directory, 'wrapping.json'));
  const objects = await openFileObjects(path.join(directory, 'objects'));
  const artifacts = createArtifacts({ store, objects, keys, tenantId: tenant, now: () => clock });
  const signer = await openLocalSigner(path.join(directory, 'evidence.json'), 'evidence', () => clock);
  const trust: Trust = {
    format: 'factory-trust/v1',
    keys: [
      { keyId: signer.keyId, purpose: 'evidence', jwk: signer.publicJwk, notBefore: signer.createdAt, notAfter: null },
    ],
  };
  const json = async (digest: Digest): Promise<unknown> => JSON.parse((await artifacts.bytes(digest)).toString('utf8'));
  const documents = createDocumentCache({
    async definitions(digest) {
      const { version, lines, policy } = readDefinitions(
        bundleFromText(await artifacts.bytes(digest, BUNDLE_LIMITS.bytes * 2)),
      );
      return {
        digest,
        version,
        policy,
        lines: new Map([...lines].map(([name, item]) => [name, { digest: item.digest, graph: graphOf(item.line) }])),
      };
    },
    declaration: async (digest) => applicationDeclaration.parse(await json(digest)),
    packet: async (digest) => packetSchema.parse(await json(digest)),
  });
  await store.run('seed', function* () {
    yield* write(insertTenantIfAbsent({ tenant_id: tenant, name: 'test', entra_tid: null, created_at: clock }));
    yield* write(
      insertPlane({
        id: 1,
        incarnation: newId('incarnation', clock),
        epoch: 1,
        heartbeat_at: clock,
        away_from: null,
        away_until: null,
        created_at: clock,
      }),
    );
  });
  const bundle = await shippedBundle();
  const baseline = await keepBundle(artifacts, bundle);
  const context: PlaneContext = {
    tenant,
    baseline,
    leaseMs: 30_000,
    hintIntervalMs: 30_000,
    outboxClaimMs: 8_000,
    prices: undefined,
    leaseSecret: Buffer.alloc(32, 7),
    incarnation: newId('incarnation', clock),
    newId,
    documents: documents.documents,
  };
  const told: OutboxEntry[] = [];
  const relay: Relay = {
    async drain(entries) {
      told.push(...entries);
    },
    settle: () => Promise.resolve(),
    statistics: () => ({ delivered: 0, failed: 0 }),
  };
  const run = createRunner({ store, documents, relay, observers: createObservers(), context });

  const actors = new Map<string, Actor>();
  const actor = async (name: string, ...roles: Role[]): Promise<Actor> => {
    const known = actors.get(name);
    if (known !== undefined) return known;
    const fresh = newId('principal', clock) as PrincipalId;
    const worker = roles.some((role) => role === 'station' || role === 'verifier' || role === 'effector');
    const id = await store.run('principal', function* () {
      yield* write(
        insertPrincipalIfAbsent({
          id: fresh,
          tenant_id: tenant,
          tid: 'test',
          oid: name,
          kind: worker ? 'workload' : 'user',
          display: name,
          created_at: clock,
        }),
      );
      // A plane that is opened again knows its principals.
      const { id: principal } = (yield* one(findPrincipal({ tid: 'test', oid: name })))!;
      for (const role of roles)
        yield* write(
          assignRole({
            tenant_id: tenant,
            principal_id: principal,
            role,
            application_key: '',
            assigned_at: clock,
            assigned_by: null,
          }),
        );
      return principal;
    });
    const made: Actor = { principal: id, kind: worker ? 'Worker' : 'User', name, roles, authenticatedAt: clock };
    actors.set(name, made);
    return made;
  };
  const requester = await actor('requester', 'requester');
  const operator = await actor('operator', 'operator');
  const policyOwner = await actor('policy-owner', 'policy_owner');
  const approver = await actor('approver', 'approver');
  const workers = {
    plan: await actor('station', 'station'),
    build: await actor('station', 'station'),
    verify: await actor('verifier', 'verifier'),
    fetch: await actor('effector', 'effector'),
    effect: await actor('effector', 'effector'),
  };

  const register = async (change: Partial<ApplicationDeclaration> = {}): Promise<ApplicationId> => {
    const declaration = applicationDeclaration.parse({
      apiVersion: 'factory/v1',
      kind: 'Application',
      name: 'shop',
      repositories: [{ name: 'shop', codeHost: 'local', location: '/repositories/shop.git' }],
      ...change,
    });
    const digest = await keepDeclaration(artifacts, declaration);
    return (await run('register', (plane) => registerApplication(plane, operator, digest))).id;
  };
  const publish = async (published: DefinitionsBundle): Promise<Digest> => {
    const digest = await keepBundle(artifacts, published);
    await run('publish', (plane) => publishDefinitions(plane, policyOwner, digest));
    return digest;
  };
  const applicationRow = async (application: ApplicationId) =>
    (await store.read('application', () => one(readApplication({ tenant, application }))))!;
  const plan = async (application: ApplicationId, to: Digest, as = operator) => {
    const kept = await keepInstallPlan(artifacts, (await applicationRow(application)).definitions_digest, to);
    return { kept, ...(await run('plan', (plane) => planInstallation(plane, as, { application, plan: kept }))) };
  };
  const supervise = (installation: InstallationId) =>
    run('supervise', (plane) => superviseInstallation(plane, installation, 1));
  const decide = async (
    of: { installation: InstallationId } | { request: RequestId },
    as: Actor,
    decision: 'approve' | 'reject',
    reason = '',
  ) => {
    const approvals = await store.read('approvals', () =>
      rows('installation' in of ? approvalsOfInstallation({ tenant, ...of }) : approvalsOfRequest({ tenant, ...of })),
    );
    const open = approvals.findLast((candidate) => candidate.state === 'open')!;
    return await run('decide', (plane) =>
      decideApproval(plane, as, { approval: open.id, subject: open.subject_digest, decision, reason }),
    );
  };
  const install = async (application: ApplicationId, to: Digest): Promise<InstallationId> => {
    const { id } = await plan(application, to);
    await decide({ installation: id }, policyOwner, 'approve');
    while (!(await supervise(id)).over);
    return id;
  };

  const submit = async (application: ApplicationId, change: Record<string, unknown> = {}): Promise<RequestId> => {
    const packet: Packet = packetSchema.parse({
      apiVersion: 'factory/v1',
      kind: 'TaskPacket',
      goal: 'Sums are right.',
      intent: 'add(1, 2) gives 3.',
      source: { kind: 'person' },
      scope: { repository: 'shop', allowedPaths: ['src/**'] },
      acceptance: [{ given: 'a', when: 'b', then: 'c' }],
      reproduction: { command: ['node', '--test'] },
      line: { name: 'patch', patch: 'diff --git a/src/add.js b/src/add.js\n' },
      ...change,
    });
    const { digest } = await artifacts.put(Buffer.from(canonicalJson(packet)), {
      kind: 'packet',
      mediaType: 'application/json',
    });
    const row = await applicationRow(application);
    const input = {
      session: null,
      application,
      packet: digest,
      declaration: row.declaration_digest,
      definitions: row.definitions_digest!,
      title: packet.goal,
      line: packet.line.name,
      priority: 5,
      deadlineAt: null,
      following: null,
      traceparent: null,
      idempotencyKey: newId('claim', clock),
      route: 'requests',
    };
    return (await run('submit', (plane) => submitRequest(plane, requester, input))).id;
  };
  const claim = async (pool: keyof typeof workers): Promise<ClaimAnswer> => {
    const { claim: answer } = await run('claim', (plane) =>
      claimNext(plane, workers[pool], pool, newId('claim', clock)),
    );
    if (answer === undefined) throw new Error(`nothing to claim in pool ${pool}`);
    return answer;
  };
  const upload = async (
    answer: ClaimAnswer,
    output: Output,
  ): Promise<{ name: string; digest: Digest; kind: ArtifactKind }> => {
    const bytes = Buffer.from(typeof output.content === 'string' ? output.content : JSON.stringify(output.content));
    const { digest } = await artifacts.put(bytes, {
      kind: output.kind,
      mediaType: 'application/json',
      owner: { type: 'job', id: answer.job, name: output.name },
    });
    const row = {
      id: newId('upload', clock),
      tenant_id: tenant,
      job_id: answer.job as JobId,
      epoch: answer.epoch,
      digest,
      kind: output.kind,
      media_type: 'application/json',
      size: bytes.byteLength,
      received: bytes.byteLength,
      object_id: newId('object', clock),
      state: 'complete' as const,
      created_at: clock,
      expires_at: clock + 1_000,
    };
    await store.run('upload', () => write(insertUpload(row)));
    return { name: output.name, digest, kind: output.kind };
  };
  const complete = async (
    pool: keyof typeof workers,
    answer: ClaimAnswer,
    outcome: Partial<Outcome> & { verdict: string },
    outputs: readonly Output[] = [],
  ) => {
    const named = [];
    for (const output of outputs) named.push(await upload(answer, output));
    const body = {
      complete: {
        outcome: { summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [], ...outcome },
        outputs: named,
      },
    };
    await run('complete', (plane) =>
      finishJob(plane, workers[pool], parseId('job', answer.job)!, answer.leaseToken, body),
    );
    return named;
  };

  return {
    directory,
    store,
    tenant,
    artifacts,
    signer,
    trust,
    context,
    documents,
    told,
    run,
    bundle,
    requester,
    operator,
    policyOwner,
    approver,
    workers,
    sealer: createSealer({ store, run, artifacts, signer, context }),
    actor,
    register,
    publish,
    plan,
    supervise,
    decide,
    install,
    submit,
    claim,
    complete,
    applicationRow,
    now: () => clock,
    pass(ms: number) {
      clock += ms;
    },
    /** The seals that were asked for and not delivered yet, oldest first. */
    takeSeals() {
      const seals = told.flatMap((entry) => (entry.body.kind === 'seal' ? [entry.body] : []));
      told.length = 0;
      return seals;
    },
    request: async (request: RequestId) => (await store.read('request', () => one(readRequest({ tenant, request }))))!,
    installation: async (installation: InstallationId) =>
      (await store.read('installation', () => one(readInstallation({ tenant, installation }))))!,
    bundles: (request: RequestId) => store.read('bundles', () => rows(evidenceOf({ tenant, request }))),
    async close() {
      await store.close();
      if (at.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export type SealPlane = Awaited<ReturnType<typeof openPlane>>;
