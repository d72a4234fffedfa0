import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { int } from '../schema/column.ts';
import { artifacts } from '../schema/tables/artifact.ts';
import { declarationReplacements } from '../schema/tables/holdout.ts';
import { jobInputs } from '../schema/tables/job.ts';
import { requests } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, digest, closed_at } = artifacts.columns;
const replacement = requests.columns.declaration_digest;

/** `write` answers 0 when another process looked at this declaration first. */
export const insertDeclarationReplacement = insertRowIfAbsent(
  'declarations.insertReplacement',
  declarationReplacements,
  'artifact',
);

/** A page of the declarations, behind a digest, that nobody has looked at for scenarios yet. */
export const declarationsToLookAt = defineStatement({
  name: 'declarations.toLookAt',
  parameters: { tenant, behind: digest, count: int() },
  build: (db, p, words) =>
    db
      .selectFrom('artifact_references as declared')
      .leftJoin('declaration_replacements as seen', (join) =>
        join.onRef('seen.tenant_id', '=', 'declared.tenant_id').onRef('seen.digest', '=', 'declared.digest'),
      )
      .modifyFront(words.top(p.count))
      .select(['declared.digest', 'declared.owner_id as application'])
      .where('declared.tenant_id', '=', p.tenant)
      .where('declared.owner_type', '=', 'application')
      .where('declared.kind', '=', 'declaration')
      .where('seen.digest', 'is', null)
      .where('declared.digest', '>', p.behind)
      .orderBy('declared.digest')
      .modifyEnd(words.limit(p.count)),
});

/** The declarations that this one took the place of. */
export const declarationsReplacedBy = defineStatement({
  name: 'declarations.replacedBy',
  parameters: { tenant, digest },
  build: (db, p) =>
    db
      .selectFrom('declaration_replacements')
      .select('digest')
      .where('tenant_id', '=', p.tenant)
      .where('replaced_by', '=', p.digest)
      .orderBy('digest'),
});

/** The open requests that are pinned to a declaration. */
export const openRequestsPinnedTo = defineStatement({
  name: 'requests.openPinnedTo',
  parameters: { tenant, digest },
  build: (db, p) =>
    db
      .selectFrom('requests')
      .select('id')
      .where('tenant_id', '=', p.tenant)
      .where('declaration_digest', '=', p.digest)
      .where('state', '<>', 'terminal')
      .orderBy('id'),
});

export const repinRequest = defineStatement({
  name: 'requests.repin',
  locks: 'request',
  parameters: { tenant, request: requests.columns.id, digest, replacement },
  build: (db, p) =>
    db
      .updateTable('requests')
      .set({ declaration_digest: p.replacement, version: sql`version + 1` as never })
      .where('id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where('declaration_digest', '=', p.digest),
});

/** Gives the jobs of a request that have not ended the replacement as their input. */
export const repinInputs = defineStatement({
  name: 'jobs.repinInputs',
  locks: 'job',
  parameters: { tenant, request: requests.columns.id, digest, replacement, size: jobInputs.columns.size },
  build: (db, p) =>
    db
      .updateTable('job_inputs')
      .set({ digest: p.replacement, size: p.size })
      .where('tenant_id', '=', p.tenant)
      .where('digest', '=', p.digest)
      .where((open) =>
        open(
          'job_id',
          'in',
          open
            .selectFrom('jobs')
            .select('id')
            .where('request_id', '=', p.request)
            .where('tenant_id', '=', p.tenant)
            .where('state', 'in', ['queued', 'leased', 'failed']),
        ),
      ),
});

/** Gives up the bytes of an artifact: without its key the object is noise, and nothing refers to that any more. */
export const closeArtifact = defineStatement({
  name: 'artifacts.close',
  locks: 'artifact',
  parameters: { tenant, digest, closed_at },
  build: (db, p) =>
    db
      .updateTable('artifacts')
      .set({ closed_at: p.closed_at, wrapped_key: '' })
      .where('tenant_id', '=', p.tenant)
      .where('digest', '=', p.digest)
      .where('closed_at', 'is', null),
});

/** Receipts that jobs of an application put out before scenarios were hidden. */
export const receiptsOfApplication = defineStatement({
  name: 'declarations.receiptsOfApplication',
  parameters: { tenant, application: requests.columns.application_id },
  build: (db, p) =>
    db
      .selectFrom('job_outputs')
      .innerJoin('jobs', 'jobs.id', 'job_outputs.job_id')
      .select('job_outputs.digest')
      .distinct()
      .where('jobs.application_id', '=', p.application)
      .where('jobs.tenant_id', '=', p.tenant)
      .where('job_outputs.kind', '=', 'receipt')
      .orderBy('job_outputs.digest'),
});
