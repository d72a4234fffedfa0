import { insertRow } from '../row-statements.ts';
import { holdoutSets } from '../schema/tables/holdout.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, application_id: application, submitted_at: at } = holdoutSets.columns;

export const insertHoldoutSet = insertRow('holdouts.insert', holdoutSets, 'application');

/** The set that an application has now. */
export const currentHoldouts = defineStatement({
  name: 'holdouts.current',
  parameters: { tenant, application },
  build: (db, p) =>
    db
      .selectFrom('holdout_sets')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .where('ended_at', 'is', null),
});

/** Every set that an application had, newest first. */
export const holdoutsOfApplication = defineStatement({
  name: 'holdouts.ofApplication',
  parameters: { tenant, application },
  build: (db, p) =>
    db
      .selectFrom('holdout_sets')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .orderBy('submitted_at', 'desc')
      .orderBy('digest'),
});

/** Ends the current set, if there is one. The application's row is locked by who does so. */
export const endHoldouts = defineStatement({
  name: 'holdouts.end',
  locks: 'application',
  parameters: { tenant, application, at },
  build: (db, p) =>
    db
      .updateTable('holdout_sets')
      .set({ ended_at: p.at })
      .where('tenant_id', '=', p.tenant)
      .where('application_id', '=', p.application)
      .where('ended_at', 'is', null),
});
