import { TableClient } from '@azure/data-tables';
import { KeyClient, type KeyClientOptions } from '@azure/keyvault-keys';
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
import { openSession } from '../store/azure-sql/session.ts';
import { openAzureSqlStore } from '../store/azure-sql/store.ts';
import { loadTedious } from '../store/azure-sql/tedious-module.ts';
import type { Store } from '../store/store.ts';
import type { AzureCredential } from './credential.ts';

/** Where a plane's parts are in Azure. Addresses as the templates output them: a container's, a table's, a key's (without a version). */
export type AzurePlaces = {
  readonly sqlServer: string;
  readonly sqlDatabase: string;
  readonly artifactsUrl: string;
  /** In an account that keeps neither versions nor deleted blobs: what is staged is not sealed yet. */
  readonly stagingUrl: string;
  readonly anchorsUrl: string;
  readonly activityUrl: string;
  readonly wrappingKeyUrl: string;
  readonly evidenceKeyUrl: string;
  readonly anchorKeyUrl: string;
};

export type AzureParts = {
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly staging: Staging;
  readonly anchors: AnchorStore;
  readonly activity: ActivityFeed;
  readonly keys: KeyWrapper;
  readonly evidenceSigner: KeyVaultSigner;
  readonly anchorSigner: KeyVaultSigner;
};

/** A few quick repeats by the SDK; what fails after them is a refusal that the caller repeats. */
const RETRIES = { retryOptions: { maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 3_000 } };

/**
 * Opens the parts of a plane in Azure, each under the same identity. Throws when the store or a signing key can't be used: such a plane must not start.
 */
export async function openAzureParts(places: AzurePlaces, credential: AzureCredential): Promise<AzureParts> {
  if (places.evidenceKeyUrl === places.anchorKeyUrl)
    throw new Error(
      'Evidence and anchors are to be signed with one key. A key signs for one purpose only: make a second one.',
    );
  const container = (url: string): ContainerClient => new ContainerClient(url, credential, RETRIES);
  const wrapping = keyAt(places.wrappingKeyUrl);
  const signer = ({ vault, name }: KeyAddress, purpose: 'evidence' | 'anchor'): Promise<KeyVaultSigner> =>
    openKeyVaultSigner(keyClient(vault, credential), name, purpose);
  const [evidenceSigner, anchorSigner] = await Promise.all([
    signer(keyAt(places.evidenceKeyUrl), 'evidence'),
    signer(keyAt(places.anchorKeyUrl), 'anchor'),
  ]);
  const tedious = await loadTedious();
  return {
    store: await openAzureSqlStore({
      connect: () =>
        openSession(tedious, {
          server: places.sqlServer,
          database: places.sqlDatabase,
          authentication: { type: 'token-credential', options: { credential } },
        }),
    }),
    objects: openBlobObjects(container(places.artifactsUrl)),
    staging: openBlobStaging(container(places.stagingUrl)),
    anchors: openBlobAnchors(container(places.anchorsUrl)),
    activity: openTableFeed(tableAt(places.activityUrl, credential)),
    keys: openKeyVaultWrapper(keyClient(wrapping.vault, credential), wrapping.name),
    evidenceSigner,
    anchorSigner,
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

/** A client of the table at `https://<account>.table.<suffix>/<table>`. */
export function tableAt(url: string, credential: AzureCredential): TableClient {
  const { origin, pathname } = new URL(url);
  const name = /^\/([A-Za-z][A-Za-z0-9]{2,62})$/.exec(pathname)?.[1];
  if (name === undefined)
    throw new Error(`${url} is not the address of a table: https://<account>.table.<suffix>/<table>.`);
  return new TableClient(origin, name, credential, RETRIES);
}
