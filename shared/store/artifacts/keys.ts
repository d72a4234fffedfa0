import { int } from '../schema/column.ts';
import { artifacts } from '../schema/tables/artifact.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id, digest, wrapped_key, key_version } = artifacts.columns;

/** A page of a tenant's artifacts, behind a digest, whose key is not wrapped by this version. */
export const artifactsOfOtherKeys = defineStatement({
  name: 'artifacts.ofOtherKeys',
  parameters: { tenant: tenant_id, behind: digest, key_version, count: int() },
  build: (db, p, words) =>
    db
      .selectFrom('artifacts')
      .select(['digest', 'object_id', 'wrapped_key', 'key_version'])
      .where('tenant_id', '=', p.tenant)
      .where('digest', '>', p.behind)
      .where('key_version', '<>', p.key_version)
      .where('closed_at', 'is', null)
      .modifyFront(words.top(p.count))
      .orderBy('digest')
      .modifyEnd(words.limit(p.count)),
});

/** Exchanges the wrapped key of an artifact that still has the one that was read. */
export const rewrapArtifact = defineStatement({
  name: 'artifacts.rewrap',
  locks: 'artifact',
  parameters: { tenant: tenant_id, digest, wrapped_key, key_version, previous_version: key_version },
  build: (db, p) =>
    db
      .updateTable('artifacts')
      .set({ wrapped_key: p.wrapped_key, key_version: p.key_version })
      .where('tenant_id', '=', p.tenant)
      .where('digest', '=', p.digest)
      .where('key_version', '=', p.previous_version),
});
