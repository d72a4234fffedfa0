import { join } from 'node:path';
import { createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import { openStaging } from '../../shared/artifacts/uploads/staging.ts';
import { createUploads } from '../../shared/artifacts/uploads/uploads.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import type { JobId, TenantId } from '../../shared/domain/ids.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

/** A plane's process that takes chunks of an upload and says so, until it is killed. Arguments: directory, job, digest, size, tenant. */
const [path = '', job = '', digest = '', size = '0', tenant = ''] = process.argv.slice(2);
const store = openSqliteStore({ file: join(path, 'plane.db') });
const parts = {
  store,
  objects: await openFileObjects(join(path, 'objects')),
  keys: await openKeyFile(join(path, 'wrapping-keys.json')),
  tenantId: tenant as TenantId,
};
const uploads = createUploads({
  ...parts,
  artifacts: createArtifacts(parts),
  staging: await openStaging(join(path, 'staging')),
});
const lease = { job: job as JobId, epoch: 1, *guard() {} };
const begun = await uploads.begin(lease, {
  digest: digest as Digest,
  size: Number(size),
  kind: 'log',
  mediaType: 'text/plain',
});
for (let offset = begun.offset; offset < Number(size); ) {
  ({ offset } = await uploads.append(
    lease,
    begun.upload,
    offset,
    Buffer.alloc(Math.min(1_000, Number(size) - offset), offset / 1_000),
  ));
  process.stdout.write(`${offset}\n`);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
