import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import type { ActivityFeed } from '../../shared/activity/activity.ts';
import { openFileFeed } from '../../shared/activity/file-feed.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import type { KeyWrapper } from '../../shared/artifacts/keys/key-wrapper.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import type { ObjectStore } from '../../shared/artifacts/objects/object-store.ts';
import { openStaging, type Staging } from '../../shared/artifacts/uploads/staging.ts';
import type { AnchorStore } from '../../shared/audit/anchor/anchor-store.ts';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import type { AzureServices } from '../../shared/azure/azure-parts.ts';
import type { Places } from '../../shared/config/control.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { SigningPurpose } from '../../shared/evidence/signing/signer.ts';
import { HINT_BUS } from '../../shared/outbox/service-bus-by-identity.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { type DatedSigner, openLeaseSecret, type Rotation } from './keys.ts';

/** What a plane keeps its state in and signs with, each on this machine or in Azure, as the settings say. */
export type Parts = {
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly staging: Staging;
  readonly anchors: AnchorStore;
  /** Undefined where there is neither a table for it nor a directory. */
  readonly activity: ActivityFeed | undefined;
  readonly keys: KeyWrapper;
  readonly leaseSecret: Uint8Array;
  readonly bus: ServiceBusClient;
  /** The key that signs for a purpose now. */
  signing(purpose: SigningPurpose): { open(): Promise<DatedSigner>; readonly rotation: Rotation };
};

/** One process has a local plane, and rotates at a start. */
const AT_START: Rotation = { retireAfterMs: 0, followEveryMs: undefined };
/** A vault rotates while several processes run; each has followed long before the key before is retired. */
const WHILE_RUNNING: Rotation = { retireAfterMs: 24 * 60 * 60_000, followEveryMs: 60 * 60_000 };

/**
 * Opens each part where the settings have it. Azure's libraries are loaded only for a part that is there. Throws when the store, a key or the lease secret can't
 * be used: such a plane must not start.
 */
export async function openParts(places: Places): Promise<Parts> {
  const at = (...names: string[]): string => {
    if (places.dataDirectory === undefined) throw new Error(`there is no data directory for ${names.join('/')}`);
    return path.join(places.dataDirectory, ...names);
  };
  let services: AzureServices | undefined;
  const azure = async (): Promise<AzureServices> => {
    if (places.clientId === undefined) throw new Error('a part is in Azure, and no identity to reach it is given');
    const { azureServices } = await import('../../shared/azure/azure-parts.ts');
    services ??= azureServices(places.clientId);
    return services;
  };
  const { sql, artifactsUrl, stagingUrl, anchorsUrl, activityUrl, wrappingKeyUrl, signingKeyUrls, serviceBus } = places;
  const keys =
    wrappingKeyUrl === undefined
      ? await openKeyFile(at('keys', 'wrapping.json'))
      : (await azure()).keys(wrappingKeyUrl);
  const signing = async (purpose: SigningPurpose): Promise<DatedSigner> => {
    const url = signingKeyUrls[purpose];
    return url === undefined
      ? await openLocalSigner(at('keys', `${purpose}.json`), purpose)
      : await (await azure()).signer(url, purpose);
  };
  return {
    objects:
      artifactsUrl === undefined ? await openFileObjects(at('artifacts')) : (await azure()).objects(artifactsUrl),
    staging: stagingUrl === undefined ? await openStaging(at('staging')) : (await azure()).staging(stagingUrl),
    anchors: anchorsUrl === undefined ? await openFileAnchors(at('anchors')) : (await azure()).anchors(anchorsUrl),
    activity:
      activityUrl !== undefined
        ? (await azure()).activity(activityUrl)
        : places.dataDirectory === undefined
          ? undefined
          : await openFileFeed(at('activity')),
    keys,
    leaseSecret:
      artifactsUrl === undefined
        ? await openLeaseSecret(at('keys'))
        : await (await azure()).leaseSecret(artifactsUrl, keys),
    bus:
      'connectionString' in serviceBus
        ? new ServiceBusClient(serviceBus.connectionString, HINT_BUS)
        : (await azure()).bus(serviceBus.namespace),
    store:
      sql === undefined
        ? openSqliteStore({ file: at('plane.sqlite') })
        : await (await azure()).store(sql.server, sql.database),
    signing: (purpose) => ({
      open: () => signing(purpose),
      rotation: signingKeyUrls[purpose] === undefined ? AT_START : WHILE_RUNNING,
    }),
  };
}
