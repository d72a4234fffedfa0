import { insertRow, insertRowIfAbsent } from '../row-statements.ts';
import { evidenceBundles, plans, verifications } from '../schema/tables/evidence.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request } = verifications.columns;

export const insertVerification = insertRow('verifications.insert', verifications, 'request');

/** A request's receipts, oldest first. */
export const verificationsOf = defineStatement({
  name: 'verifications.list',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('verifications')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('id'),
});

export const insertPlan = insertRowIfAbsent('plans.insertIfAbsent', plans, 'request');

export const plansOf = defineStatement({
  name: 'plans.list',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('plans')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('created_at'),
});

/** `write` answers 0 when this bundle is known. */
export const insertEvidenceBundle = insertRowIfAbsent('evidence.insertIfAbsent', evidenceBundles, 'request', [
  'request_id',
  'kind',
  'digest',
]);

export const evidenceOf = defineStatement({
  name: 'evidence.list',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('evidence_bundles')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('id'),
});
