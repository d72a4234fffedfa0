import { updateRow } from '../row-statements.ts';
import { effects } from '../schema/tables/effect.ts';

/** Writes all that may change of an effect that still has this version; the job and epoch change when another attempt looks. */
export const updateEffect = updateRow('effects.update', effects, 'effect', [
  'request_id',
  'kind',
  'ordinal',
  'target',
  'effect_key',
  'tree',
  'correlation_mark',
  'rollback',
  'intended_at',
]);
