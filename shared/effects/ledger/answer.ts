import type { EffectAnswer } from '../../jobs/protocol.ts';

export type EffectView = {
  readonly id: string;
  readonly effect_key: string;
  readonly state: string;
  readonly correlation_mark: string;
  readonly act_until: number;
  readonly observed: string | null;
};

export function answerOf(row: EffectView): EffectAnswer {
  return {
    id: row.id,
    key: row.effect_key,
    state: row.state,
    correlationMark: row.correlation_mark,
    actUntil: new Date(row.act_until).toISOString(),
    observed: row.observed,
  };
}
