import path from 'node:path';
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { type Actors, createActors } from '../../shared/access/actors.ts';
import { entraIssuer } from '../../shared/access/entra-issuer.ts';
import { type LocalIssuer, openLocalIssuer } from '../../shared/access/local/local-issuer.ts';
import { type Ask, createAsk } from '../../shared/access/permit.ts';
import { createRefusalCounter, type RefusalCounter } from '../../shared/access/refusal-counter.ts';
import { ensureTenant, seedLocalIdentities } from '../../shared/access/seed.ts';
import { createVerifier, type VerifyToken } from '../../shared/access/verified-tokens.ts';
import type { Issuer } from '../../shared/access/verify-token.ts';
import { type Artifacts, createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import { openStaging } from '../../shared/artifacts/uploads/staging.ts';
import { createUploads, type Uploads } from '../../shared/artifacts/uploads/uploads.ts';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import { type ControlSettings, readControlSettings } from '../../shared/config/control.ts';
import { bundleText, loadBundle } from '../../shared/definitions/bundle.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { newId, type TenantId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { type Actor, DocumentNotLoaded, type PlaneContext } from '../../shared/line/context.ts';
import { outboxLedger } from '../../shared/outbox/ledger.ts';
import { createRelay, type Relay } from '../../shared/outbox/relay.ts';
import { createAnchorWatch, whileSound } from '../../shared/plane/anchor.ts';
import type { DocumentCache } from '../../shared/plane/documents.ts';
import { createObservers, type Observers } from '../../shared/plane/observers.ts';
import { type DurableClient, orchestrationsOver } from '../../shared/plane/orchestrations.ts';
import { type Reconciled, reconcile } from '../../shared/plane/reconcile.ts';
import { createRunner, type RunCommand } from '../../shared/plane/run.ts';
import { createSealer, type Sealer, unawaited } from '../../shared/plane/seal.ts';
import { createSweep, type Swept } from '../../shared/plane/sweep.ts';
import { type Command, one, write } from '../../shared/store/command.ts';
import { insertPlane, readPlane } from '../../shared/store/platform/plane.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { openDocuments } from './document-loaders.ts';
import { type HintQueues, openHintQueues } from './hints.ts';
import { createHousekeeping } from './housekeeping.ts';
import { openLeaseSecret, openSigner, readTrust } from './keys.ts';
import { report } from './report.ts';

/** The control role, put together. Everything the functions of this role use. */
export type Plane = {
  readonly settings: ControlSettings;
  readonly tenant: TenantId;
  readonly context: PlaneContext;
  readonly store: Store;
  readonly artifacts: Artifacts;
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
  trust(): Promise<Trust>;
  sweep(): Promise<Swept>;
  reconcile(actor: Actor): Promise<Reconciled>;
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
  const at = (...names: string[]): string => path.join(settings.dataDirectory, ...names);
  const keys = at('keys');
  const wrapping = await openKeyFile(path.join(keys, 'wrapping.json'));
  const objects = await openFileObjects(at('artifacts'));
  const staging = await openStaging(at('staging'));
  const anchors = await openFileAnchors(at('anchors'));
  const leaseSecret = await openLeaseSecret(keys);
  const store = openSqliteStore({ file: at('plane.sqlite') });
  const { identity } = settings;
  const tenant = await ensureTenant(
    store,
    identity.kind === 'local' ? 'local' : identity.tenant,
    identity.kind === 'entra' ? identity.tenant : null,
  );
  const incarnation = await openIncarnation(store);
  const [evidence, anchoring] = [
    await openSigner(store, tenant, keys, 'evidence'),
    await openSigner(store, tenant, keys, 'anchor'),
  ];
  const artifacts = createArtifacts({ store, objects, keys: wrapping, tenantId: tenant });
  const uploads = createUploads({ store, objects, keys: wrapping, tenantId: tenant, artifacts, staging });
  const documents = openDocuments(artifacts);
  const context: PlaneContext = {
    tenant,
    documents: documents.documents,
    baseline: await keepBaseline(artifacts, tenant, settings.definitionsDirectory),
    leaseMs: settings.leaseMs,
    hintIntervalMs: settings.hintIntervalMs,
    outboxClaimMs: LIMITS.outbox.claimMs,
    leaseSecret,
    incarnation,
    newId,
  };
  const observers = createObservers();
  const orchestrations = orchestrationsOver(durableClient);
  const hints = openHintQueues(settings.serviceBus, settings.hintIntervalMs);
  const trust = (): Promise<Trust> => readTrust(store, tenant);
  const watch = createAnchorWatch({ store, anchors, signer: anchoring, trust, incarnation, now: Date.now });
  await watch.check();
  let seal: Sealer['seal'] = () => Promise.reject(new Error('the plane is still being opened'));
  const relay = createRelay(
    {
      hints: hints.send,
      start: (body) => orchestrations.start(body.orchestrator, body.id, body.run),
      nudge: (body) => orchestrations.nudge(body.orchestrator, body.id, body.run),
      seal: (body) => seal(body),
    },
    outboxLedger(store),
    report,
  );
  const run = whileSound(watch, createRunner({ store, documents, relay, observers, context }));
  // A seal is itself delivered by the relay: waiting for its own deliveries there would hold up both of its lanes.
  const sealing = whileSound(watch, createRunner({ store, documents, relay: unawaited(relay), observers, context }));
  ({ seal } = createSealer({ store, run: sealing, artifacts, signer: evidence, context }));
  const looking = { store, run, relay, orchestrations, report };
  const refusals = createRefusalCounter();
  const localIssuer =
    identity.kind === 'local'
      ? await openLocalIssuer({
          dataDirectory: settings.dataDirectory,
          audience: identity.audience,
          onChange: (clients) => seedLocalIdentities(store, tenant, clients),
        })
      : undefined;
  if (localIssuer !== undefined) await seedLocalIdentities(store, tenant, localIssuer.clients());
  const issuer: Issuer =
    localIssuer?.issuer ?? entraIssuer(identity as ControlSettings['identity'] & { kind: 'entra' });
  return {
    settings,
    tenant,
    context,
    store,
    artifacts,
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
    trust,
    sweep: createSweep(looking),
    reconcile: (actor) => reconcile(looking, actor),
    anchor: async () => {
      await watch.anchor();
    },
    expire: createHousekeeping({ store, run, staging, objects, refusals, report }),
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

/** The plane's own row: which incarnation of it this database belongs to. */
async function openIncarnation(store: Store): Promise<string> {
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
