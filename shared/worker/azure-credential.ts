import type { AzureCredential } from '../azure/credential.ts';
import type { WorkerCredential } from '../config/worker.ts';

/**
 * Who a worker is for Azure: the managed identity that it shows the plane; for one with a credential of its own, which runs on somebody's
 * machine, whoever is signed in there. Azure's library of identities is loaded when a token is first wanted: it costs some hundred
 * milliseconds.
 */
export function azureCredential(credential: WorkerCredential): AzureCredential {
  let known: Promise<AzureCredential> | undefined;
  return {
    async getToken(scopes) {
      known ??= import('../azure/credential.ts').then(({ managedIdentity, personalSignIn }) =>
        credential.kind === 'managed' ? managedIdentity(credential.clientId) : personalSignIn(),
      );
      return (await known).getToken(scopes);
    },
  };
}
