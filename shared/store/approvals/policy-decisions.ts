import { insertRow } from '../row-statements.ts';
import { json } from '../schema/column.ts';
import { policyDecisions } from '../schema/tables/approval.ts';
import { defineStatement } from '../statement.ts';

export const insertPolicyDecision = insertRow('policyDecisions.insert', policyDecisions);

/** Decisions by id; `ids` is a JSON list. */
export const findPolicyDecisions = defineStatement({
  name: 'policyDecisions.find',
  parameters: { tenant: policyDecisions.columns.tenant_id, ids: json() },
  build: (db, p, words) =>
    db
      .selectFrom('policy_decisions')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('id', 'in', words.listed(p.ids) as never),
});
