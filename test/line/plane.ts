import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadBundle } from '../../shared/definitions/bundle.ts';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { productLine } from '../../shared/domain/blueprint/schema.ts';
import type { PriceTable } from '../../shared/domain/cost/price-table.ts';
import { type Digest, digestOfBytes, digestOfValue } from '../../shared/domain/digest.ts';
import {
  type ApplicationId,
  type JobId,
  newId,
  type PrincipalId,
  parseId,
  type RequestId,
  type TenantId,
} from '../../shared/domain/ids.ts';
import type { Outcome } from '../../shared/domain/job/outcome.ts';
import { packetSchema } from '../../shared/domain/packet/schema.ts';
import type { Role } from '../../shared/gates/policy/actions.ts';
import { createPolicyEngine } from '../../shared/gates/policy/engine.ts';
import { submitRequest } from '../../shared/intake/submit.ts';
import { claimNext } from '../../shared/jobs/claim.ts';
import { finishJob } from '../../shared/jobs/finish.ts';
import type { ArtifactKind, ClaimAnswer } from '../../shared/jobs/protocol.ts';
import type { Actor, LoadedDefinitions, PlaneContext } from '../../shared/line/context.ts';
import { graphOf } from '../../shared/line/graph.ts';
import type { Committed } from '../../shared/line/scope.ts';
import type { OutboxEntry } from '../../shared/outbox/entry.ts';
import { insertPrincipalIfAbsent } from '../../shared/store/access/principals.ts';
import { assignRole } from '../../shared/store/access/roles.ts';
import { insertTenantIfAbsent } from '../../shared/store/access/tenants.ts';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { insertUpload, uploadsOfJob } from '../../shared/store/artifacts/uploads.ts';
import { type Command, rows, type Unchanged, write } from '../../shared/store/command.ts';
import { insertBudget, removeBudget } from '../../shared/store/costs/budgets.ts';
import { openNodes } from '../../shared/store/nodes/read.ts';
import { insertPlane } from '../../shared/store/platform/plane.ts';
import { readRequest } from '../../shared/store/requests/read.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

/** A blueprint for tests, given as the definitions' YAML would be parsed. */
export type TestLine = { readonly line: string; readonly nodes: readonly unknown[] };

/**
 * The plane's commands over a real store in a temporary directory, without HTTP, queue or worker: what they would deliver is
 * kept in `told`. Time is the store's injected clock.
 */
export async function openTestPlane(
  options: { lines?: readonly TestLine[]; leaseMs?: number; prices?: PriceTable } = {},
) {
  const directory = mkdtempSync(path.join(tmpdir(), 'factory-line-'));
  let clock = Date.UTC(2026, 0, 1);
  const store = openSqliteStore({ file: path.join(directory, 'plane.db'), clock: () => clock });
  const tenant = newId('tenant', clock) as TenantId;
  const bundle = await loadBundle(path.join(import.meta.dirname, '..', '..', 'definitions'));
  const policies = Object.fromEntries([...bundle.files].filter(([file]) => file.endsWith('.cedar')));
  const lines = (options.lines ?? []).map((line) =>
    productLine.parse({
      schemaVersion: 1,
      title: line.line,
      outputFormats: ['pull_request', 'patch', 'note'],
      ...line,
    }),
  );
  const definitions: LoadedDefinitions = {
    digest: digestOfValue(lines),
    version: 'test',
    lines: new Map(lines.map((line) => [line.line, { digest: digestOfValue(line), graph: graphOf(line) }])),
    policy: createPolicyEngine({ policies }),
  };
  const declaration = applicationDeclaration.parse({
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: 'shop',
    repositories: [{ name: 'shop', codeHost: 'local', location: '/repositories/shop.git' }],
  });
  const declarationDigest = digestOfValue(declaration);
  const packets = new Map<Digest, ReturnType<typeof packetSchema.parse>>();
  const told: OutboxEntry[] = [];
  const context: PlaneContext = {
    tenant,
    baseline: definitions.digest,
    leaseMs: options.leaseMs ?? 30_000,
    hintIntervalMs: 30_000,
    outboxClaimMs: 8_000,
    prices: options.prices,
    leaseSecret: Buffer.alloc(32, 7),
    incarnation: newId('incarnation', clock),
    newId,
    documents: {
      definitions: () => definitions,
      declaration: () => declaration,
      packet: (digest) => {
        const packet = packets.get(digest);
        if (packet === undefined) throw new Error(`no packet ${digest}`);
        return packet;
      },
    },
  };
  const application = newId('application', clock) as ApplicationId;
  await store.run('seed', function* () {
    yield* write(insertTenantIfAbsent({ tenant_id: tenant, name: 'test', entra_tid: null, created_at: clock }));
    yield* write(
      insertPlane({
        id: 1,
        incarnation: context.incarnation as never,
        epoch: 1,
        heartbeat_at: clock,
        away_from: null,
        away_until: null,
        created_at: clock,
      }),
    );
    yield* write(
      insertApplication({
        id: application,
        tenant_id: tenant,
        name: 'shop',
        declaration_digest: declarationDigest,
        definitions_digest: definitions.digest,
        policy_digest: definitions.policy.digest,
        installed_line_digests: '{}',
        version: 1,
        created_at: clock,
        updated_at: clock,
      }),
    );
  });

  const actors = new Map<string, Actor>();
  const actor = async (name: string, ...roles: Role[]): Promise<Actor> => {
    const known = actors.get(name);
    if (known !== undefined) return known;
    const id = newId('principal', clock) as PrincipalId;
    await store.run('principal', function* () {
      yield* write(
        insertPrincipalIfAbsent({
          id,
          tenant_id: tenant,
          tid: 'test',
          oid: name,
          kind: 'local',
          display: name,
          created_at: clock,
        }),
      );
      // An approval is asked about again when it is used, by what the store knows then.
      for (const role of roles)
        yield* write(
          assignRole({
            tenant_id: tenant,
            principal_id: id,
            role,
            application_key: '',
            assigned_at: clock,
            assigned_by: null,
          }),
        );
    });
    const worker = roles.some((role) => role === 'station' || role === 'verifier' || role === 'effector');
    const made: Actor = { principal: id, kind: worker ? 'Worker' : 'User', name, roles, authenticatedAt: clock };
    actors.set(name, made);
    return made;
  };
  const run = async <T>(
    label: string,
    command: (context: PlaneContext) => Command<Committed<T> | Unchanged<Committed<T>>>,
  ): Promise<T> => {
    const committed = await store.run(label, () => command(context));
    told.push(...committed.outbox);
    return committed.answer;
  };
  const requester = await actor('requester', 'requester');
  let keys = 0;
  let claims = 0;

  return {
    /** The database file, for checks that look past the store. */
    file: path.join(directory, 'plane.db'),
    store,
    context,
    told,
    application,
    tenant,
    run,
    actor,
    requester,
    station: await actor('station', 'station'),
    verifier: await actor('verifier', 'verifier'),
    effector: await actor('effector', 'effector'),
    /** Database time goes on by this many milliseconds. */
    pass(ms: number) {
      clock += ms;
    },
    now: () => clock,
    async submit(
      line: string,
      options: {
        key?: string;
        as?: Actor;
        deadlineAt?: number;
        priority?: number;
        packet?: Record<string, unknown>;
      } = {},
    ) {
      const packet = packetSchema.parse({
        apiVersion: 'factory/v1',
        kind: 'TaskPacket',
        goal: 'one thing',
        intent: 'because',
        source: { kind: 'person' },
        scope: { repository: 'shop', allowedPaths: ['src/**'] },
        acceptance: [{ given: 'a', when: 'b', then: 'c' }],
        line: { name: 'bench' },
        output: { format: 'pull_request' },
        ...options.packet,
      });
      const digest = digestOfValue(packet);
      packets.set(digest, packet);
      keys += 1;
      return await run('submit', (plane) =>
        submitRequest(plane, options.as ?? requester, {
          session: null,
          application,
          packet: digest,
          declaration: declarationDigest,
          definitions: definitions.digest,
          title: 'one thing',
          line,
          priority: options.priority ?? 5,
          deadlineAt: options.deadlineAt ?? null,
          following: null,
          traceparent: null,
          idempotencyKey: options.key ?? `key-${keys}`,
          route: 'requests',
        }),
      );
    },
    async claim(as: Actor, pool: ClaimAnswer['pool'], claimId = `claim-${++claims}-000`) {
      return (await run('claim', (plane) => claimNext(plane, as, pool, claimId))).claim;
    },
    async complete(
      as: Actor,
      claim: ClaimAnswer,
      outcome: Partial<Outcome> & { verdict: string },
      outputs: { name: string; kind: ArtifactKind; text: string }[] = [],
    ) {
      const job = parseId('job', claim.job) as JobId;
      const named = [];
      for (const output of outputs) {
        const digest = digestOfBytes(output.text);
        const known = await store.read('uploads', () => rows(uploadsOfJob({ tenant, job, epoch: claim.epoch })));
        if (known.some((upload) => upload.digest === digest && upload.kind === output.kind)) {
          named.push({ name: output.name, digest, kind: output.kind });
          continue;
        }
        await store.run('upload', () =>
          write(
            insertUpload({
              id: newId('upload', clock),
              tenant_id: tenant,
              job_id: job,
              epoch: claim.epoch,
              digest,
              kind: output.kind,
              media_type: 'application/json',
              size: output.text.length,
              received: output.text.length,
              object_id: newId('object', clock),
              state: 'complete',
              created_at: clock,
              expires_at: clock + 1000,
            }),
          ),
        );
        named.push({ name: output.name, digest, kind: output.kind });
      }
      const body = {
        complete: {
          outcome: {
            summary: '',
            unknowns: [],
            ...outcome,
            facts: { paths: [], manifests: [], testPaths: [], claims: digestOfBytes('claims'), ...outcome.facts },
          },
          outputs: named,
        },
      };
      return await run('complete', (plane) => finishJob(plane, as, job, claim.leaseToken, body));
    },
    async fail(
      as: Actor,
      claim: ClaimAnswer,
      failure: Parameters<typeof finishJob>[4] extends infer B
        ? B extends { fail: { failure: infer F } }
          ? F
          : never
        : never,
    ) {
      return await run('fail', (plane) =>
        finishJob(plane, as, parseId('job', claim.job) as JobId, claim.leaseToken, { fail: { failure, outputs: [] } }),
      );
    },
    request: async (id: RequestId) =>
      (await store.read('request', () => rows(readRequest({ tenant, request: id }))))[0],
    open: async (id: RequestId) =>
      (await store.read('nodes', () => rows(openNodes({ tenant, request: id })))).map(
        (node) => `${node.name}:${node.state}`,
      ),
    /** Micro-units that the application spent, looked at past the commands. */
    spent(): number {
      const database = new DatabaseSync(path.join(directory, 'plane.db'), { readOnly: true });
      const row = database.prepare('select coalesce(sum(amount), 0) as spent from monthly_costs').get();
      database.close();
      return Number(row?.['spent']);
    },
    /** Gives the application a budget of a month, in micro-units, or takes it away. */
    async setBudget(monthly: number | undefined) {
      await store.run('budget', function* () {
        yield* write(removeBudget({ tenant, application }));
        if (monthly === undefined) return;
        yield* write(
          insertBudget({
            tenant_id: tenant,
            application_id: application,
            monthly,
            currency: 'EUR',
            declared_at: clock,
          }),
        );
      });
    },
    async close() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type TestPlane = Awaited<ReturnType<typeof openTestPlane>>;
