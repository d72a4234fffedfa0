import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { failureSignatures } from '../schema/tables/evidence.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, application_id: application, signature } = failureSignatures.columns;

/** The first time a fault is met; `countFailureSignature` when it is met again. Requests share these rows: both come late in a command, with the rank of artifacts. */
export const insertFailureSignature = insertRowIfAbsent(
  'failureSignatures.insertIfAbsent',
  failureSignatures,
  'artifact',
);

/** One more of a known fault: answers the count, or nothing when it was never met. */
export const countFailureSignature = defineStatement({
  name: 'failureSignatures.count',
  locks: 'artifact',
  parameters: { tenant, application, signature },
  build: (_db, p, words) =>
    sql<
      Pick<Database['failure_signatures'], 'count'>
    >`update failure_signatures set "count" = "count" + 1, last_at = ${words.now} ${words.output('count')} where application_id = ${p.application} and signature = ${p.signature} and tenant_id = ${p.tenant} ${words.returning('count')}`,
});
