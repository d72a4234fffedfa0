import { join } from 'node:path';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import { takeAnchor } from '../../shared/audit/anchor/take.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

/** A plane's process that takes one anchor. Argument: directory. */
const path = process.argv[2] ?? '';
const signer = await openLocalSigner(join(path, 'anchor-key.json'), 'anchor');
const keys = [
  {
    keyId: signer.keyId,
    purpose: 'anchor' as const,
    jwk: signer.publicJwk,
    notBefore: signer.createdAt,
    notAfter: null,
  },
];
await takeAnchor({
  store: openSqliteStore({ file: join(path, 'plane.db') }),
  anchors: await openFileAnchors(join(path, 'anchors')),
  signer,
  trust: () => Promise.resolve({ format: 'factory-trust/v1', keys }),
  incarnation: () => Promise.resolve('inc_1'),
  now: Date.now,
});
