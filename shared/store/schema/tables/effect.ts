import { effectMachine } from '../../../domain/effect/machine.ts';
import { digest, id, int, name, nullable, stateOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const effects = table(
  'effects',
  {
    id: id('effect'),
    tenant_id: id('tenant'),
    request_id: id('request'),
    job_id: id('job'),
    epoch: int(),
    kind: name(32),
    ordinal: int(),
    target: text(512),
    effect_key: name(128),
    state: stateOf(effectMachine),
    tree: digest(),
    expected_before: text(512),
    correlation_mark: name(128),
    act_until: time(),
    approval_id: nullable(id('approval')),
    policy_decision_id: id('policyDecision'),
    rollback: text(1_000),
    observed: nullable(text(2_000)),
    intended_at: time(),
    started_at: nullable(time()),
    ended_at: nullable(time()),
    version: int(),
  },
  {
    indexes: [
      { name: 'ux_effects_key', columns: ['tenant_id', 'effect_key'], unique: true, serves: ['effects.byKey'] },
      { name: 'ix_effects_request', columns: ['request_id', 'ordinal', 'id'], serves: ['effects.ofRequest'] },
    ],
    references: { request_id: 'requests' },
  },
);
