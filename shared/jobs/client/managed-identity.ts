import type { AzureCredential } from '../../azure/credential.ts';
import type { ElapsedClock } from './elapsed-clock.ts';
import { PlaneProblem } from './plane-problem.ts';
import { cachedTokens, type IssuedToken, type TokenSource } from './token-source.ts';

/**
 * Access tokens of the process's managed identity for the plane. `audience` is the client id (or application id URI) of the plane's app registration.
 * The platform keeps tokens for hours and may answer a rejected one again: revoking a worker is the plane's own allow-list, never a token's end.
 */
export function managedIdentityTokens(credential: AzureCredential, audience: string, now: ElapsedClock): TokenSource {
  const scope = `${audience}/.default`;
  const issue = async (): Promise<IssuedToken> => {
    const token = await credential.getToken(scope).catch((error: unknown) => {
      throw new PlaneProblem(
        503,
        'FACTORY-TOKEN-REFUSED',
        `The platform gave this process's managed identity no token for ${audience}: ${reasonOf(error)}. Check that the identity is assigned to this app and named by AZURE_CLIENT_ID.`,
      );
    });
    if (token === null)
      throw new PlaneProblem(
        503,
        'FACTORY-TOKEN-REFUSED',
        `The platform gave no token for ${audience}, and no reason.`,
      );
    return {
      accessToken: token.token,
      expiresInSeconds: Math.max(1, (token.expiresOnTimestamp - Date.now()) / 1_000),
    };
  };
  return cachedTokens(issue, now);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);
