import { updateRow } from '../row-statements.ts';
import { requests } from '../schema/tables/request.ts';

/** Writes all that may change of a request that still has this version: `updateRequest({ ...row, state })`. */
export const updateRequest = updateRow('requests.update', requests, 'request', [
  'session_id',
  'application_id',
  'retry_of',
  'definitions_digest',
  'line',
  'line_digest',
  'packet_digest',
  'declaration_digest',
  'requested_by',
  'submitted_by',
  'policy_decision_id',
  'title',
  'traceparent',
  'created_at',
]);
