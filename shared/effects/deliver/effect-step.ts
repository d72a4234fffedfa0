import type { EffectAnswer, IntendBody } from '../../jobs/protocol.ts';
import type { Crossing } from '../../telemetry/crash-point.ts';

/** What a look at the target found. `other`: the target is in a state that neither we nor our fence expected. */
export type Look = { readonly found: 'done' | 'absent' | 'other'; readonly observed: string };

/** What acting came to. `fenced`: the target refused, and nothing happened; above all because it was not in the state the fence names. */
export type Act = { readonly did: 'acted' | 'fenced'; readonly observed: string };

/**
 * One effect on one target. Acting again after an unknown outcome is safe only because the target's own fence lets exactly one of
 * two equal acts happen; a target without such a fence must not be written as a step.
 */
export type EffectStep = {
  readonly intend: IntendBody;
  readonly crossing: Crossing;
  /** What will be done, recorded when it starts. */
  readonly intention: string;
  look(signal: AbortSignal): Promise<Look>;
  act(effect: EffectAnswer, signal: AbortSignal): Promise<Act>;
};

/** `act`: bring the effect about. `look`: the request is being cancelled; find out what happened and change nothing. */
export type EffectMode = 'act' | 'look';

/**
 * How an effect ended for this job. `not_done`: another attempt of the job will look and act. `nothing`: there is no such effect (look
 * mode only).
 */
export type EffectEnd = {
  readonly end: 'verified' | 'refuted' | 'not_done' | 'nothing';
  readonly observed: string;
  readonly effect: string | null;
};
