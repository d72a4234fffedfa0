import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { json } from '../schema/column.ts';
import { checkpoints, jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: job, request_id: request } = jobs.columns;

export const jobInputsOf = defineStatement({
  name: 'jobs.inputs',
  parameters: { tenant, job },
  build: (db, p) =>
    db
      .selectFrom('job_inputs')
      .select(['name', 'digest', 'kind', 'media_type', 'size'])
      .where('job_id', '=', p.job)
      .where('tenant_id', '=', p.tenant)
      .orderBy('name'),
});

/** Outputs of one job under every epoch, but for reports of hidden scenarios, of which no list tells. */
export const jobOutputs = defineStatement({
  name: 'jobs.outputs',
  parameters: { tenant, job },
  build: (db, p) =>
    db
      .selectFrom('job_outputs')
      .select(['epoch', 'name', 'digest', 'kind', 'media_type', 'size'])
      .where('job_id', '=', p.job)
      .where('tenant_id', '=', p.tenant)
      .where('kind', '<>', 'holdout_report')
      .orderBy('epoch')
      .orderBy('name'),
});

/** What the named nodes (a JSON list) put out in their current round: outputs of completed jobs, under the epoch that completed. */
export const outputsOfNodes = defineStatement({
  name: 'jobs.outputsOfNodes',
  parameters: { tenant, request, names: json() },
  build: (db, p, words) =>
    db
      .selectFrom('nodes')
      .innerJoin('jobs', 'jobs.node_id', 'nodes.id')
      .innerJoin('job_outputs', (join) =>
        join.onRef('job_outputs.job_id', '=', 'jobs.id').onRef('job_outputs.epoch', '=', 'jobs.lease_epoch'),
      )
      .select([
        'nodes.name as node',
        'jobs.fan_index',
        'job_outputs.name',
        'job_outputs.digest',
        'job_outputs.kind',
        'job_outputs.media_type',
        'job_outputs.size',
      ])
      .where('nodes.request_id', '=', p.request)
      .where('nodes.tenant_id', '=', p.tenant)
      .where('nodes.state', '<>', 'superseded')
      .where('jobs.state', '=', 'completed')
      .where('job_outputs.kind', '<>', 'holdout_report')
      .where('nodes.name', 'in', words.listed(p.names))
      .orderBy('nodes.name')
      .orderBy('jobs.fan_index'),
});

export const insertCheckpoint = insertRowIfAbsent('jobs.insertCheckpoint', checkpoints, 'job');

export const latestCheckpoint = defineStatement({
  name: 'jobs.latestCheckpoint',
  parameters: { tenant, job },
  build: (db, p, words) => {
    const one = sql<number>`1`;
    return db
      .selectFrom('checkpoints')
      .modifyFront(words.top(one))
      .select(['epoch', 'digest', 'created_at'])
      .where('job_id', '=', p.job)
      .where('tenant_id', '=', p.tenant)
      .orderBy('epoch', 'desc')
      .orderBy('created_at', 'desc')
      .modifyEnd(words.limit(one));
  },
});
