import { nodeMachine } from '../../../domain/node/machine.ts';
import { bigint, flag, id, int, json, name, nullable, stateOf, time } from '../column.ts';
import { table } from '../table.ts';

export const nodes = table(
  'nodes',
  {
    id: id('node'),
    tenant_id: id('tenant'),
    request_id: id('request'),
    name: name(64),
    round: int(),
    kind: name(32),
    pool: nullable(name(32)),
    state: stateOf(nodeMachine),
    /** Needs that have not ended; the node becomes ready when it reaches 0. */
    needs_left: int(),
    verdict: nullable(name(64)),
    outcome: nullable(json()),
    fan_total: int(),
    fan_done: int(),
    fan_failed: int(),
    /** 1 once the seal of an active seal node has been recorded. */
    sealed: flag(),
    policy_decision_id: nullable(id('policyDecision')),
    risk: nullable(json()),
    retry_count: int(),
    equal_signatures: int(),
    last_signature: nullable(name(200)),
    started_at: nullable(time()),
    ended_at: nullable(time()),
    /** Position in the blueprint, for display. */
    ordinal: bigint(),
    version: int(),
  },
  {
    indexes: [
      {
        name: 'ux_nodes_round',
        columns: ['request_id', 'name', 'round'],
        unique: true,
        serves: ['nodes.byName', 'nodes.list', 'nodes.decrementNeeds'],
      },
      { name: 'ix_nodes_open', columns: ['request_id'], where: `state in ('ready', 'active')`, serves: ['nodes.open'] },
    ],
    references: { request_id: 'requests' },
  },
);
