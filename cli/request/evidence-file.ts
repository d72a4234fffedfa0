import { BUNDLED_ARTIFACT_BYTES, verifyBundleFile, writeBundleFile } from '../../shared/evidence/bundle-file.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { trustSchema } from '../../shared/evidence/signing/trust.ts';
import { ApiProblem } from '../api/api-problem.ts';
import type { PlaneApi } from '../api/plane-api.ts';
import { understood } from '../api/read.ts';
import { CommandFailure } from '../failure.ts';

/** The public keys the plane signs with, retired ones included. */
export async function readKeys(api: PlaneApi): Promise<Trust> {
  return understood(trustSchema, await api.call('GET', '/audit/keys'), '/audit/keys');
}

/** The bytes of an artifact; its digest is not checked here, the verification of what refers to it does. */
export async function readArtifact(api: PlaneApi, digest: string): Promise<Uint8Array> {
  return new Uint8Array(await (await api.fetch('GET', `/artifacts/${digest}`)).arrayBuffer());
}

/**
 * A request's evidence as one self-contained file: the bundle, the change evidence it refers to, the public keys, and those small
 * artifacts that this identity may read. What is left out is named by its digest.
 */
export async function gatherBundleFile(
  api: PlaneApi,
  request: { readonly id: string; readonly evidence: string | null },
): Promise<string> {
  if (request.evidence === null)
    throw new CommandFailure(`Request ${request.id} has no evidence bundle yet: it is sealed when the request ends.`);
  const [keys, evidence] = await Promise.all([readKeys(api), readArtifact(api, request.evidence)]);
  const bare = verifyBundleFile(writeBundleFile({ evidence, changeEvidence: null, keys, artifacts: [] }), { keys });
  const facts = bare.facts?.kind === 'evidence_bundle' ? bare.facts.facts : undefined;
  const named = facts !== undefined && 'changeEvidence' in facts ? facts.changeEvidence : null;
  const changeEvidence = named === null ? null : await readArtifact(api, named);
  const artifacts: Uint8Array[] = [];
  for (const digest of bare.artifacts.absent) {
    // It has its own place; a second copy would stand in for the first if that were changed.
    if (digest === named) continue;
    const bytes = await readIfAllowed(api, digest);
    if (bytes !== undefined && bytes.byteLength <= BUNDLED_ARTIFACT_BYTES) artifacts.push(bytes);
  }
  return writeBundleFile({ evidence, changeEvidence, keys, artifacts });
}

async function readIfAllowed(api: PlaneApi, digest: string): Promise<Uint8Array | undefined> {
  try {
    return await readArtifact(api, digest);
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 404 || error.status === 403)) return undefined;
    throw error;
  }
}
