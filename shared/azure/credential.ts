import { AzureCliCredential, ManagedIdentityCredential } from '@azure/identity';

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

/**
 * The sign-in of the person whose machine this is (`az login`), for a worker that has no identity of the platform. The library's chain of
 * developers' credentials is not used: it would also take a secret that was left in the environment.
 */
export function personalSignIn(): AzureCredential {
  return new AzureCliCredential({ processTimeoutInMs: 30_000 });
}
