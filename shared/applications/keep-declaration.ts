import type { Artifacts } from '../artifacts/artifacts.ts';
import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import { withoutScenarios } from '../domain/application/holdouts.ts';
import { canonicalJson, type Digest } from '../domain/digest.ts';

/** Keeps a parsed declaration, without its scenarios, as an artifact, before the command that names it. The same declaration gives the same digest. */
export async function keepDeclaration(artifacts: Artifacts, declaration: ApplicationDeclaration): Promise<Digest> {
  const { digest } = await artifacts.put(Buffer.from(canonicalJson(withoutScenarios(declaration))), {
    kind: 'declaration',
    mediaType: 'application/json',
  });
  return digest;
}
