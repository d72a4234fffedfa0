import path from 'node:path';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import type { Anchoring } from '../../shared/audit/anchor/take.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import type { RestoreParts } from '../../shared/plane/accept-restore.ts';
import { createAnchorWatch, whileSound } from '../../shared/plane/anchor.ts';
import { one } from '../../shared/store/command.ts';
import { readPlane } from '../../shared/store/platform/plane.ts';
import { openPlane, type SealPlane } from './plane.ts';

export type RestorablePlane = SealPlane & {
  readonly restore: RestoreParts;
  readonly anchorTrust: Trust;
  readonly anchorDirectory: string;
  incarnation(): Promise<string>;
};

/** The plane in a directory with its anchors beside it; commands run as the control role runs them, only while the audit is sound. */
export async function openRestorable(directory: string, tenant?: TenantId): Promise<RestorablePlane> {
  const plane = await openPlane({ directory, ...(tenant === undefined ? {} : { tenant }) });
  const anchorDirectory = path.join(directory, 'anchors');
  const signer = await openLocalSigner(path.join(directory, 'anchor.json'), 'anchor');
  const anchorTrust: Trust = {
    format: 'factory-trust/v1',
    keys: [{ keyId: signer.keyId, purpose: 'anchor', jwk: signer.publicJwk, notBefore: 0, notAfter: null }],
  };
  const incarnation = async (): Promise<string> =>
    (await plane.store.read('plane', () => one(readPlane({}))))!.incarnation;
  const anchoring: Anchoring = {
    store: plane.store,
    anchors: await openFileAnchors(anchorDirectory),
    signer,
    trust: () => Promise.resolve(anchorTrust),
    incarnation,
    now: plane.now,
  };
  const watch = createAnchorWatch(anchoring);
  await watch.check();
  const run = whileSound(watch, plane.run);
  return { ...plane, run, restore: { anchoring, watch, run: plane.run }, anchorTrust, anchorDirectory, incarnation };
}
