import { updateRow } from '../row-statements.ts';
import { nodes } from '../schema/tables/node.ts';

/** Writes all that may change of a node that still has this version. */
export const updateNode = updateRow('nodes.update', nodes, 'node', [
  'request_id',
  'name',
  'round',
  'kind',
  'pool',
  'ordinal',
]);
