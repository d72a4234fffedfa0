import { insertRowIfAbsent } from '../row-statements.ts';
import { json } from '../schema/column.ts';
import { artifacts } from '../schema/tables/artifact.ts';
import { defineStatement } from '../statement.ts';

/** The row decides which object holds an artifact's bytes: `write` answers 0 when another was first, whose object wins. */
export const insertArtifactIfAbsent = insertRowIfAbsent('artifacts.insertIfAbsent', artifacts, 'artifact');

export const findArtifact = defineStatement({
  name: 'artifacts.find',
  parameters: { tenant: artifacts.columns.tenant_id, digest: artifacts.columns.digest },
  build: (db, p) =>
    db.selectFrom('artifacts').selectAll().where('tenant_id', '=', p.tenant).where('digest', '=', p.digest),
});

/** Artifacts by a JSON list of digests. */
export const findArtifacts = defineStatement({
  name: 'artifacts.findMany',
  parameters: { tenant: artifacts.columns.tenant_id, digests: json() },
  build: (db, p, words) =>
    db
      .selectFrom('artifacts')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('digest', 'in', words.listed(p.digests) as never),
});
