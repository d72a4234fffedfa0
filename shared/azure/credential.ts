import { ManagedIdentityCredential } from '@azure/identity';

/** What the Azure SDKs ask of a credential: their `TokenCredential`, in the part that is used. */
export type AzureCredential = {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>;
};

/**
 * The managed identity of this process: the user-assigned one with this client id. No other kind of credential is tried, so that a
 * developer's own sign-in or a secret left in the environment never stands in for the role's identity.
 */
export function managedIdentity(clientId: string): AzureCredential {
  return new ManagedIdentityCredential({ clientId, retryOptions: { maxRetries: 3 } });
}
