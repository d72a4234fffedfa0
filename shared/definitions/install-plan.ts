import type { Artifacts } from '../artifacts/artifacts.ts';
import { canonicalJson, type Digest } from '../domain/digest.ts';
import { BUNDLE_LIMITS, bundleFromText } from './bundle.ts';
import { diffBundles, type InstallPlan } from './diff.ts';

/**
 * Makes the install plan from what is in force on an application (null: nothing) to a published bundle, and keeps it as an artifact. The
 * artifact's digest is the plan's: the same two bundles give the same plan, to the byte, whoever asks and when.
 */
export async function keepInstallPlan(artifacts: Artifacts, from: Digest | null, to: Digest): Promise<InstallPlan> {
  const bundle = async (digest: Digest) => bundleFromText(await artifacts.bytes(digest, BUNDLE_LIMITS.bytes * 2));
  const plan = diffBundles(from === null ? null : await bundle(from), await bundle(to));
  const { digest, ...content } = plan;
  const kept = await artifacts.put(Buffer.from(canonicalJson(content)), {
    kind: 'install_plan',
    mediaType: 'application/json',
  });
  if (kept.digest !== digest)
    throw new Error(`the install plan ${digest} was kept as ${kept.digest}: its digest is not of its canonical form`);
  return plan;
}
