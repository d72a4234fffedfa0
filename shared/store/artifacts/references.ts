import { insertRowIfAbsent, insertRows } from '../row-statements.ts';
import { artifactReferences } from '../schema/tables/artifact.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, digest } = artifactReferences.columns;

/** New rows of one owner: they wait for nobody, so they have no rank. */
export const insertArtifactReferences = insertRows('artifacts.insertReferences', artifactReferences);

/** `write` answers 0 when the owner already refers to it so. */
export const insertArtifactReferenceIfAbsent = insertRowIfAbsent(
  'artifacts.insertReferenceIfAbsent',
  artifactReferences,
  'artifact',
);

/** Who refers to an artifact: what may be read with it, and whether it may be collected. */
export const artifactReferencesTo = defineStatement({
  name: 'artifacts.referencesTo',
  parameters: { tenant, digest },
  build: (db, p) =>
    db.selectFrom('artifact_references').selectAll().where('tenant_id', '=', p.tenant).where('digest', '=', p.digest),
});
