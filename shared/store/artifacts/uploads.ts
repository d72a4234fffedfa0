import { insertRowIfAbsent } from '../row-statements.ts';
import { uploads } from '../schema/tables/artifact.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: upload, job_id: job, epoch } = uploads.columns;

/** `write` answers 0 when it was recorded before: a last chunk may be sent twice at once. */
export const insertUpload = insertRowIfAbsent('uploads.insertIfAbsent', uploads, 'artifact');

export const readUpload = defineStatement({
  name: 'uploads.read',
  parameters: { tenant, upload },
  build: (db, p) => db.selectFrom('uploads').selectAll().where('id', '=', p.upload).where('tenant_id', '=', p.tenant),
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
