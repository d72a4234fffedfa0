import type { Artifacts, SealedArtifact } from '../../artifacts/artifacts.ts';
import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { type HoldoutSet, holdoutSet, newHoldoutSet, sameScenarios } from '../../domain/application/holdouts.ts';
import { canonicalJson, type Digest } from '../../domain/digest.ts';
import { LIMITS } from '../../domain/limits.ts';
import { Refusal } from '../../domain/refusal.ts';

/** What a declaration that was handed in says of hidden scenarios, sealed but recorded by nobody yet. */
export type DeclaredHoldouts =
  | { readonly kind: 'none' }
  | { readonly kind: 'kept'; readonly digest: Digest }
  | { readonly kind: 'new'; readonly sealed: SealedArtifact; readonly record: Artifacts['record'] };

export const NO_HOLDOUTS: DeclaredHoldouts = { kind: 'none' };

/**
 * Seals the scenarios of a declaration, unless they are those of `current`, which are then kept. Refuses with 422 `FACTORY-HOLDOUTS-ABSENT` a declaration
 * that keeps what is not there.
 */
export async function keepHoldouts(
  artifacts: Artifacts,
  declaration: ApplicationDeclaration,
  current: Digest | undefined,
): Promise<DeclaredHoldouts> {
  const { scenarios, holdouts } = declaration;
  if (scenarios.length === 0) {
    if (holdouts === undefined) return NO_HOLDOUTS;
    if (current !== undefined) return { kind: 'kept', digest: current };
    throw new Refusal(
      422,
      'FACTORY-HOLDOUTS-ABSENT',
      `The declaration keeps the hidden scenarios of ${declaration.name}, which has none. Give them as "scenarios", or leave "holdouts" out.`,
      { details: [{ pointer: '/holdouts', code: 'absent', message: 'There are none to keep.' }] },
    );
  }
  if (current !== undefined && sameScenarios((await readHoldouts(artifacts, current)).scenarios, scenarios))
    return { kind: 'kept', digest: current };
  return { kind: 'new', sealed: await sealHoldouts(artifacts, newHoldoutSet(scenarios)), record: artifacts.record };
}

export const sealHoldouts = (artifacts: Artifacts, set: HoldoutSet): Promise<SealedArtifact> =>
  artifacts.seal(Buffer.from(canonicalJson(set)), { kind: 'holdout', mediaType: 'application/json' });

async function readHoldouts(artifacts: Artifacts, digest: Digest): Promise<HoldoutSet> {
  const bytes = await artifacts.bytes(digest, LIMITS.http.jsonBodyBytes * 8);
  return holdoutSet.parse(JSON.parse(bytes.toString('utf8')));
}
