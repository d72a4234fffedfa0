import { insertRow } from '../row-statements.ts';
import { requestAnswers } from '../schema/tables/request.ts';
import { defineStatement } from '../statement.ts';

export const insertRequestAnswer = insertRow('requests.insertAnswer', requestAnswers, 'request');

export const requestAnswersOf = defineStatement({
  name: 'requests.answers',
  parameters: { tenant: requestAnswers.columns.tenant_id, request: requestAnswers.columns.request_id },
  build: (db, p) =>
    db
      .selectFrom('request_answers')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('ordinal'),
});
