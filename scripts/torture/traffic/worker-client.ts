import { credentialPath } from '../../../shared/access/local/issuer-file.ts';
import { clientCredentialTokens, readCredentialFile } from '../../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../../shared/jobs/client/elapsed-clock.ts';
import type { LeaseProof } from '../../../shared/jobs/client/plane-call.ts';
import { createPlaneClient, type PlaneClient } from '../../../shared/jobs/client/plane-client.ts';
import type { RetryBounds } from '../../../shared/jobs/client/retry.ts';
import type { ClaimAnswer } from '../../../shared/jobs/protocol.ts';

/** The job protocol under one of the plane's worker identities, as any worker in any language would speak it. */
export async function openWorkerClient(of: {
  readonly planeDirectory: string;
  readonly controlUrl: string;
  readonly identity: 'station' | 'verifier' | 'effector';
}): Promise<PlaneClient> {
  const now = elapsedClock();
  const credential = await readCredentialFile(credentialPath(of.planeDirectory, of.identity));
  return createPlaneClient({ controlUrl: of.controlUrl, tokens: clientCredentialTokens(credential, now), now });
}

export const proofOf = (claim: ClaimAnswer): LeaseProof => ({
  job: claim.job,
  leaseToken: claim.leaseToken,
  traceparent: claim.traceparent,
});

/** Tries again for so long, through whatever dies meanwhile. */
export const patience = (client: PlaneClient, limitMs = 60_000): RetryBounds => {
  const until = client.now() + limitMs;
  return { until: () => until };
};
