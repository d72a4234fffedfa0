import { digestOfBytes } from '../domain/digest.ts';
import { artifactsOfOtherKeys, rewrapArtifact } from '../store/artifacts/keys.ts';
import { rows, write } from '../store/command.ts';
import { type ArtifactParts, keyContext } from './artifacts.ts';

const PAGE = 200;
/** Sorts before every digest of real bytes, in either dialect: `sha256:` and 64 zeros. */
const BEFORE_ALL = digestOfBytes('').replace(/[0-9a-f]{64}$/, '0'.repeat(64)) as ReturnType<typeof digestOfBytes>;

/**
 * Wraps the data keys of a tenant's artifacts with the current version of the wrapping key. No object is read or written: only rows change, each
 * guarded by the version it was read with. Repeatable; answers how many rows changed. Throws `KeyUnusable` at a key that no longer opens.
 */
export async function rewrapKeys({
  store,
  keys,
  tenantId,
}: Pick<ArtifactParts, 'store' | 'keys' | 'tenantId'>): Promise<number> {
  const current = await keys.currentVersion();
  let behind = BEFORE_ALL;
  let changed = 0;
  for (;;) {
    const page = await store.read('artifacts.ofOtherKeys', () =>
      rows(artifactsOfOtherKeys({ tenant: tenantId, behind, key_version: current, count: PAGE })),
    );
    for (const row of page) {
      const context = keyContext(tenantId, row.digest, row.object_id);
      const dataKey = await keys.unwrap(
        { wrapped: Buffer.from(row.wrapped_key, 'base64'), version: row.key_version },
        context,
      );
      const { wrapped, version } = await keys.wrap(dataKey, context);
      changed += await store.run('artifacts.rewrap', () =>
        write(
          rewrapArtifact({
            tenant: tenantId,
            digest: row.digest,
            wrapped_key: Buffer.from(wrapped).toString('base64'),
            key_version: version,
            previous_version: row.key_version,
          }),
        ),
      );
      behind = row.digest;
    }
    if (page.length < PAGE) return changed;
  }
}
