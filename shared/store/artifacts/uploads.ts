import { insertRow } from '../row-statements.ts';
import { uploads } from '../schema/tables/artifact.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: upload, job_id: job, epoch } = uploads.columns;

export const insertUpload = insertRow('uploads.insert', uploads, 'artifact');

export const readUpload = defineStatement({
  name: 'uploads.read',
  parameters: { tenant, upload },
  build: (db, p) => db.selectFrom('uploads').selectAll().where('id', '=', p.upload).where('tenant_id', '=', p.tenant),
});

/** The upload's row or the lock on its absence, with database time. */
export const lockUpload = defineStatement({
  name: 'uploads.lock',
  locks: 'artifact',
  parameters: { tenant, upload },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('uploads'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.upload)
      .where('tenant_id', '=', p.tenant),
});

/** All uploads under a lease: outputs named at completion must be among the complete ones. */
export const uploadsOfJob = defineStatement({
  name: 'uploads.ofJob',
  parameters: { tenant, job, epoch },
  build: (db, p) =>
    db
      .selectFrom('uploads')
      .selectAll()
      .where('job_id', '=', p.job)
      .where('epoch', '=', p.epoch)
      .where('tenant_id', '=', p.tenant),
});
