import path from 'node:path';
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { type Actors, createActors } from '../../shared/access/actors.ts';
import { entraIssuer } from '../../shared/access/entra-issuer.ts';
import { LOCAL_TENANT } from '../../shared/access/local/issuer-file.ts';
import { type LocalIssuer, openLocalIssuer } from '../../shared/access/local/local-issuer.ts';
import { type Ask, createAsk } from '../../shared/access/permit.ts';
import { createRefusalCounter, type RefusalCounter } from '../../shared/access/refusal-counter.ts';
import { ensureTenant, seedIdentities } from '../../shared/access/seed.ts';
import { createVerifier, type VerifyToken } from '../../shared/access/verified-tokens.ts';
import type { Issuer } from '../../shared/access/verify-token.ts';
import type { ActivityFeed } from '../../shared/activity/activity.ts';
import { type Artifacts, createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { createUploads, type Uploads } from '../../shared/artifacts/uploads/uploads.ts';
import type { Anchor } from '../../shared/audit/anchor/document.ts';
import type { Anchoring } from '../../shared/audit/anchor/take.ts';
import type { FoundRestore } from '../../shared/audit/restore/find.ts';
import { type ControlSettings, readControlSettings } from '../../shared/config/control.ts';
import { bundleText, loadBundle } from '../../shared/definitions/bundle.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { newId, type TenantId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { type Actor, DocumentNotLoaded, type PlaneContext } from '../../shared/line/context.ts';
import type { Happening } from '../../shared/line/scope.ts';
import { outboxLedger } from '../../shared/outbox/ledger.ts';
import { createRelay, type Relay } from '../../shared/outbox/relay.ts';
import {
  type AcceptedRestore,
  acceptRestore,
  lookAtRestore,
  type RestoreParts,
} from '../../shared/plane/accept-restore.ts';
import { createAnchorWatch, whileSound } from '../../shared/plane/anchor.ts';
import { assertBudgetsCountable } from '../../shared/plane/countable-budgets.ts';
import type { DocumentCache } from '../../shared/plane/documents.ts';
import { createGauges } from '../../shared/plane/gauges.ts';
import { createObservers, type Observers } from '../../shared/plane/observers.ts';
import { type DurableClient, orchestrationsOver } from '../../shared/plane/orchestrations.ts';
import { type Reconciled, reconcile } from '../../shared/plane/reconcile.ts';
import { createRunner, type RunCommand } from '../../shared/plane/run.ts';
import { createSealer, type Sealer, unawaited } from '../../shared/plane/seal.ts';
import { createSweep, type Swept } from '../../shared/plane/sweep.ts';
import { type Command, one, write } from '../../shared/store/command.ts';
import { insertPlane, readPlane } from '../../shared/store/platform/plane.ts';
import type { Store } from '../../shared/store/store.ts';
import { openDocuments } from './document-loaders.ts';
import { createHiding, type Hiding } from './hiding.ts';
import { type HintQueues, openHintQueues } from './hints.ts';
import { createHousekeeping } from './housekeeping.ts';
import { type DatedSigner, openSigning, readTrust, recordSigner } from './keys.ts';
import { openParts } from './parts.ts';
import { report } from './report.ts';

/** The control role, put together. Everything the functions of this role use. */
export type Plane = {
  readonly settings: ControlSettings;
  readonly tenant: TenantId;
  /** Tenant of the issuer whose tokens are taken (`tid`). */
  readonly issuerTenant: string;
  readonly context: PlaneContext;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly hiding: Hiding;
  readonly uploads: Uploads;
  readonly documents: DocumentCache;
  readonly observers: Observers;
  readonly relay: Relay;
  readonly hints: HintQueues;
  readonly run: RunCommand;
  /** Reads outside any transaction, after loading a pinned document that the query asked for. */
  look<T>(label: string, query: () => Command<T>): Promise<T>;
  readonly ask: Ask;
  readonly verify: VerifyToken;
  /** With local identities only. */
  readonly localIssuer: LocalIssuer | undefined;
  readonly actors: Actors;
  readonly refusals: RefusalCounter;
  /** What people may like to see go by; undefined where no place is set for it. */
  readonly activity: ActivityFeed | undefined;
  trust(): Promise<Trust>;
  sweep(): Promise<Swept>;
  /** Reads the gauges, when telemetry is on and they are due. */
  measure(): Promise<void>;
  reconcile(actor: Actor): Promise<Reconciled>;
  lookAtRestore(): Promise<FoundRestore>;
  acceptRestore(actor: Actor, accepted: AcceptedRestore): Promise<readonly Anchor[]>;
  anchor(): Promise<void>;
  expire(): Promise<void>;
  close(): Promise<void>;
};

let opened: Promise<Plane> | undefined;
let durable: DurableClient | undefined;

/** The plane of this process, opened once from its settings. */
export function plane(): Promise<Plane> {
  opened ??= openPlane(readControlSettings(process.env));
  return opened;
}

/** Keeps the first durable client a function was handed: making one for each commit cost 4 % of control's time. */
export function withOrchestrations(context: InvocationContext): void {
  durable ??= df.getClient(context) as unknown as DurableClient;
}

function durableClient(): DurableClient {
  if (durable === undefined)
    throw new Error('no function with a durable client has run in this process yet; the outbox tries again');
  return durable;
}

async function openPlane(settings: ControlSettings): Promise<Plane> {
  const parts = await openParts(settings.places);
  const { store, objects, staging, anchors, leaseSecret } = parts;
  const { identity } = settings;
  const tenant = await ensureTenant(
    store,
    identity.kind === 'local' ? 'local' : identity.tenant,
    identity.kind === 'entra' ? identity.tenant : null,
  );
  await openIncarnation(store);
  await assertBudgetsCountable(store, tenant, settings.prices);
  const record = (signer: DatedSigner, retireAfterMs: number) => recordSigner(store, tenant, signer, retireAfterMs);
  const [evidence, anchoring] = [
    await openSigning(parts.signing('evidence'), record, report),
    await openSigning(parts.signing('anchor'), record, report),
  ];
  const sealed = { store, objects, keys: parts.keys, tenantId: tenant };
  const artifacts = createArtifacts(sealed);
  const uploads = createUploads({ ...sealed, artifacts, staging });
  const documents = openDocuments(artifacts);
  const context: PlaneContext = {
    tenant,
    documents: documents.documents,
    baseline: await keepBaseline(artifacts, tenant, settings.definitionsDirectory),
    leaseMs: settings.leaseMs,
    hintIntervalMs: settings.hintIntervalMs,
    outboxClaimMs: LIMITS.outbox.claimMs,
    prices: settings.prices,
    leaseSecret,
    get incarnation() {
      return watch.incarnation();
    },
    newId,
  };
  const observers = createObservers();
  const orchestrations = orchestrationsOver(durableClient);
  const hints = openHintQueues(parts.bus, settings.hintIntervalMs);
  const trust = (): Promise<Trust> => readTrust(store, tenant);
  const anchored: Anchoring = {
    store,
    anchors,
    get signer() {
      return anchoring();
    },
    trust,
    incarnation: () => readIncarnation(store),
    now: Date.now,
  };
  const watch = createAnchorWatch(anchored);
  await watch.check();
  const hiding = createHiding({ store, artifacts, objects, tenant });
  if (watch.rewound() === undefined) await hiding.hide();
  let seal: Sealer['seal'] = () => Promise.reject(new Error('the plane is still being opened'));
  const relay = createRelay(
    {
      hints: hints.send,
      start: (body) => orchestrations.start(body.orchestrator, body.id, body.run, body.wakeAt),
      nudge: (body) => orchestrations.nudge(body.orchestrator, body.id, body.run),
      seal: (body) => seal(body),
    },
    outboxLedger(store),
    report,
  );
  const { activity } = parts;
  const happened = ({ stream, ...entry }: Happening): void => {
    if (stream !== 'platform') void activity?.append(stream, entry);
  };
  const runAnyhow = createRunner({ store, documents, relay, observers, context, happened });
  const run = whileSound(watch, runAnyhow);
  // A seal is itself delivered by the relay: waiting for its own deliveries there would hold up both of its lanes.
  const sealing = whileSound(
    watch,
    createRunner({ store, documents, relay: unawaited(relay), observers, context, happened }),
  );
  ({ seal } = createSealer({
    store,
    run: sealing,
    artifacts,
    get signer() {
      return evidence();
    },
    context,
  }));
  const restore: RestoreParts = { anchoring: anchored, watch, run: runAnyhow };
  const looking = { store, run, relay, orchestrations, report };
  /**
   * While the database is behind its anchors nothing is sent, started or removed: a newer copy of it may be put in place yet, whose artifacts
   * would be leftovers to the older one.
   */
  const whileRight =
    <T>(step: () => Promise<T>, otherwise: T) =>
    (): Promise<T> =>
      watch.rewound() === undefined ? step() : Promise.resolve(otherwise);
  const refusals = createRefusalCounter();
  const localIssuer =
    identity.kind === 'local'
      ? await openLocalIssuer({
          dataDirectory: identity.dataDirectory,
          audience: identity.audience,
          onChange: (clients) => seedIdentities(store, tenant, LOCAL_TENANT, clients),
        })
      : undefined;
  if (localIssuer !== undefined) await seedIdentities(store, tenant, LOCAL_TENANT, localIssuer.clients());
  if (identity.kind === 'entra') await seedIdentities(store, tenant, identity.tenant, identity.first);
  const issuer: Issuer =
    localIssuer?.issuer ?? entraIssuer(identity as ControlSettings['identity'] & { kind: 'entra' });
  return {
    settings,
    tenant,
    issuerTenant: issuer.tenant,
    context,
    store,
    artifacts,
    hiding,
    uploads,
    documents,
    observers,
    relay,
    hints,
    run,
    look: createLook(store, documents),
    ask: createAsk(context, documents),
    verify: createVerifier(issuer),
    localIssuer,
    actors: createActors({ store, tenant }),
    refusals,
    activity,
    trust,
    sweep: whileRight(createSweep(looking), { outbox: 0, leases: 0, hints: 0, reruns: 0 }),
    measure: createGauges({ store, tenant, report }),
    reconcile: (actor) => reconcile(looking, actor),
    lookAtRestore: () => lookAtRestore(restore),
    async acceptRestore(actor, accepted) {
      const anchors = await acceptRestore(restore, actor, accepted);
      if (watch.rewound() === undefined) await hiding.hide();
      return anchors;
    },
    anchor: async () => {
      await watch.anchor();
    },
    expire: whileRight(createHousekeeping({ store, run, staging, objects, refusals, report }), undefined),
    async close() {
      await relay.flush();
      await hints.close().catch(report);
      await store.close();
    },
  };
}

function createLook(store: Store, documents: DocumentCache): Plane['look'] {
  return async (label, query) => {
    for (;;) {
      try {
        return await store.read(label, query);
      } catch (error) {
        if (!(error instanceof DocumentNotLoaded)) throw error;
        await documents.load(error);
      }
    }
  };
}

/** The plane's own row, when the database is new: an incarnation begins. */
async function openIncarnation(store: Store): Promise<void> {
  const now = Date.now();
  await store.run('plane.open', () =>
    write(
      insertPlane({
        id: 1,
        incarnation: newId('incarnation', now),
        epoch: 1,
        heartbeat_at: now,
        away_from: null,
        away_until: null,
        created_at: now,
      }),
    ),
  );
}

/** Which incarnation of the plane the database belongs to. */
async function readIncarnation(store: Store): Promise<string> {
  const row = await store.read('plane.read', () => one(readPlane({})));
  if (row === undefined) throw new Error('the row of the plane was written and is not there');
  return row.incarnation;
}

/** The product's own definitions, kept as an artifact: their policy holds where an application has none installed yet. */
async function keepBaseline(artifacts: Artifacts, tenant: TenantId, directory: string | undefined): Promise<Digest> {
  const bundle = await loadBundle(directory ?? path.resolve(import.meta.dirname, '../../definitions'));
  readDefinitions(bundle);
  if ((await artifacts.stat(bundle.digest)) === undefined) {
    await artifacts.put(Buffer.from(bundleText(bundle.files)), {
      mediaType: 'application/json',
      kind: 'definitions',
      owner: { type: 'tenant', id: tenant, name: 'baseline' },
    });
  }
  return bundle.digest;
}
