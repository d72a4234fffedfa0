import { TableClient } from '@azure/data-tables';
import { KeyClient, type KeyClientOptions } from '@azure/keyvault-keys';
import type { ServiceBusClient } from '@azure/service-bus';
import { ContainerClient } from '@azure/storage-blob';
import type { ActivityFeed } from '../activity/activity.ts';
import { openTableFeed } from '../activity/table-feed.ts';
import { openKeyVaultWrapper } from '../artifacts/keys/key-vault-wrapper.ts';
import type { KeyWrapper } from '../artifacts/keys/key-wrapper.ts';
import { openBlobObjects } from '../artifacts/objects/blob-objects.ts';
import type { ObjectStore } from '../artifacts/objects/object-store.ts';
import { openBlobStaging } from '../artifacts/uploads/blob-staging.ts';
import type { Staging } from '../artifacts/uploads/staging.ts';
import type { AnchorStore } from '../audit/anchor/anchor-store.ts';
import { openBlobAnchors } from '../audit/anchor/blob-anchors.ts';
import { type KeyVaultSigner, openKeyVaultSigner } from '../evidence/signing/key-vault-signer.ts';
import type { SigningPurpose } from '../evidence/signing/signer.ts';
import { serviceBusByIdentity } from '../outbox/service-bus-by-identity.ts';
import { openSession } from '../store/azure-sql/session.ts';
import { openAzureSqlStore } from '../store/azure-sql/store.ts';
import { loadTedious } from '../store/azure-sql/tedious-module.ts';
import type { Store } from '../store/store.ts';
import { type AzureCredential, managedIdentity } from './credential.ts';
import { openWrappedLeaseSecret } from './wrapped-lease-secret.ts';

/**
 * The parts of a plane in Azure, each opened by its address: a container's, a table's, a key's (without a version), as the templates output them.
 * All are reached under one identity.
 */
export type AzureServices = {
  /** Throws when the schema is not the program's. */
  store(server: string, database: string): Promise<Store>;
  objects(containerUrl: string): ObjectStore;
  /** In an account that keeps neither versions nor deleted blobs: what is staged is not sealed yet. */
  staging(containerUrl: string): Staging;
  anchors(containerUrl: string): AnchorStore;
  activity(tableUrl: string): ActivityFeed;
  keys(keyUrl: string): KeyWrapper;
  signer(keyUrl: string, purpose: SigningPurpose): Promise<KeyVaultSigner>;
  /** One for all instances of the plane: kept beside the artifacts, wrapped. */
  leaseSecret(containerUrl: string, keys: KeyWrapper): Promise<Uint8Array>;
  bus(fullyQualifiedNamespace: string): ServiceBusClient;
};

/** A few quick repeats by the SDK; what fails after them is a refusal that the caller repeats. */
const RETRIES = { retryOptions: { maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 3_000 } };

/** The services as the managed identity with this client id reaches them. Nothing is asked of any until one is opened. */
export function azureServices(clientId: string): AzureServices {
  const credential = managedIdentity(clientId);
  const container = (url: string): ContainerClient => new ContainerClient(url, credential, RETRIES);
  return {
    async store(server, database) {
      const tedious = await loadTedious();
      const authentication = { type: 'token-credential', options: { credential } };
      return openAzureSqlStore({ connect: () => openSession(tedious, { server, database, authentication }) });
    },
    objects: (url) => openBlobObjects(container(url)),
    staging: (url) => openBlobStaging(container(url)),
    anchors: (url) => openBlobAnchors(container(url)),
    activity: (url) => openTableFeed(tableAt(url, credential)),
    keys(url) {
      const { vault, name } = keyAt(url);
      return openKeyVaultWrapper(keyClient(vault, credential), name);
    },
    signer(url, purpose) {
      const { vault, name } = keyAt(url);
      return openKeyVaultSigner(keyClient(vault, credential), name, purpose);
    },
    leaseSecret: (url, keys) => openWrappedLeaseSecret(container(url), keys),
    bus: (namespace) => serviceBusByIdentity(namespace, credential),
  };
}

export type KeyAddress = { readonly vault: string; readonly name: string };

/** Takes a key's address apart, `https://<vault>/keys/<name>`. A version at its end is refused: it would never follow a rotation. */
export function keyAt(url: string): KeyAddress {
  const { protocol, origin, pathname } = new URL(url);
  const name = /^\/keys\/([A-Za-z0-9-]{1,127})$/.exec(pathname)?.[1];
  if (name === undefined || protocol !== 'https:')
    throw new Error(
      `${url} is not the address of a key: https://<vault>/keys/<name>, without a version. Look it up as the key's keyUri.`,
    );
  return { vault: origin, name };
}

export const keyClient = (vault: string, credential: AzureCredential, options: KeyClientOptions = {}): KeyClient =>
  new KeyClient(vault, credential, { ...RETRIES, ...options });

/** A client of the table at `https://<account>.table.<suffix>/<table>`; the account may also be the path's first part, as the emulator has it. */
export function tableAt(url: string, credential: AzureCredential): TableClient {
  const { origin, pathname } = new URL(url);
  const [, account = '', name] = /^(\/[a-z0-9]{3,24})?\/([A-Za-z][A-Za-z0-9]{2,62})$/.exec(pathname) ?? [];
  if (name === undefined)
    throw new Error(`${url} is not the address of a table: https://<account>.table.<suffix>/<table>.`);
  return new TableClient(`${origin}${account}`, name, credential, RETRIES);
}
