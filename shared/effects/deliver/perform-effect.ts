import { setTimeout as sleep } from 'node:timers/promises';
import { isLeaseLost, PlaneProblem } from '../../jobs/client/plane-problem.ts';
import type { EffectAnswer, EffectEventName } from '../../jobs/protocol.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { Act, EffectEnd, EffectMode, EffectStep, Look } from './effect-step.ts';
import { intendRefusal } from './intend-refusal.ts';

/** Acting ends this long before the plane's `actUntil`, so that a clock a little off or a slow kill does not pass it. */
const ACT_MARGIN_MS = 2_000;
const LOOK_AGAIN_MS = 1_000;

/** The events that lead from a state to `verified`, when a look has found the effect done. */
const TO_VERIFIED: Readonly<Record<string, readonly EffectEventName[]>> = {
  intended: ['started', 'completed', 'verified'],
  started: ['completed', 'verified'],
  completed: ['verified'],
  uncertain: ['verified'],
  failed: ['verified'],
};

/** The events that say it did not happen and will not, when the target is in another state than the fence allows. */
const TO_GIVEN_UP: Readonly<Record<string, readonly EffectEventName[]>> = {
  intended: ['started', 'failed'],
  started: ['failed'],
  completed: ['refuted'],
  uncertain: ['refuted'],
  failed: ['refuted'],
};

/**
 * Performs one effect, or takes over one that an earlier effector left in any state: intend (the plane checks lease, approval,
 * policy and tree), look, and only when it is not there act with the target's fence, look again, record what was seen. Nothing
 * is ever repeated without a look, and every step may be the last this process takes.
 *
 * @throws TaskFailure when the plane no longer permits the effect.
 */
export async function performEffect(context: TaskContext, step: EffectStep, mode: EffectMode): Promise<EffectEnd> {
  const effect = await intend(context, step, mode);
  if (effect === null) return { end: 'nothing', observed: 'it was never begun', effect: null };
  if (effect.state === 'verified') return { end: 'verified', observed: effect.observed ?? '', effect: effect.id };
  if (TO_VERIFIED[effect.state] === undefined)
    return { end: 'refuted', observed: effect.observed ?? effect.state, effect: effect.id };
  return mode === 'look' ? lookOnly(context, step, effect) : bringAbout(context, step, effect);
}

async function intend(context: TaskContext, step: EffectStep, mode: EffectMode): Promise<EffectAnswer | null> {
  try {
    return await crossing('effect.intend', () => context.intendEffect(step.intend));
  } catch (error) {
    if (!(error instanceof PlaneProblem) || isLeaseLost(error)) throw error;
    // A request that is being cancelled begins nothing new: an effect it refuses to intend was never begun.
    if (mode === 'look' && error.status >= 400 && error.status < 500) return null;
    throw new TaskFailure(intendRefusal(error, step.intend.kind));
  }
}

async function bringAbout(context: TaskContext, step: EffectStep, effect: EffectAnswer): Promise<EffectEnd> {
  const look = await step.look(context.signal);
  if (look.found === 'done') return verified(context, effect, look.observed);
  // It was complete and is gone: somebody took it away, and only they know why.
  if (look.found === 'other' || effect.state === 'completed') return givenUp(context, effect, look.observed);
  if (effect.state === 'started') await context.recordEffect(effect.id, 'failed', look.observed);
  if (effect.state !== 'intended') await context.recordEffect(effect.id, 'look_again', look.observed);
  return act(context, step, effect);
}

async function act(context: TaskContext, step: EffectStep, effect: EffectAnswer): Promise<EffectEnd> {
  const timeLeft = Date.parse(effect.actUntil) - Date.now() - ACT_MARGIN_MS;
  if (timeLeft <= 0) {
    return { end: 'not_done', observed: `the time to act was over at ${effect.actUntil}`, effect: effect.id };
  }
  // Recording the start also proves, at this moment, that the lease is still ours: a process that was stopped for a while ends here.
  await context.recordEffect(effect.id, 'started', step.intention);
  const started = { ...effect, state: 'started' };
  const acted = await tryToAct(context, step, effect, timeLeft);
  if (acted.did === 'unknown') return outcomeUnknown(context, step, started, acted.observed);
  if (acted.did === 'acted') await context.recordEffect(effect.id, 'completed', acted.observed);
  const look = await step.look(context.signal);
  const seen = acted.did === 'acted' ? { ...effect, state: 'completed' } : started;
  // Refused by the fence and done all the same: an earlier effector of this request was quicker.
  if (look.found === 'done') return verified(context, seen, look.observed);
  return givenUp(context, seen, acted.did === 'acted' ? look.observed : `${acted.observed}; ${look.observed}`);
}

async function tryToAct(
  context: TaskContext,
  step: EffectStep,
  effect: EffectAnswer,
  timeLeft: number,
): Promise<Act | { readonly did: 'unknown'; readonly observed: string }> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeLeft)]);
  try {
    return await crossing(step.crossing, () => step.act(effect, signal));
  } catch (error) {
    context.signal.throwIfAborted();
    return { did: 'unknown', observed: error instanceof Error ? error.message : String(error) };
  }
}

/** The act ended without an answer. A look decides, or else the next attempt looks before it does anything. */
async function outcomeUnknown(
  context: TaskContext,
  step: EffectStep,
  effect: EffectAnswer,
  reason: string,
): Promise<EffectEnd> {
  context.log('effect.unanswered', { effect: effect.id, kind: step.intend.kind, reason });
  await context.recordEffect(effect.id, 'uncertain', reason);
  const uncertain = { ...effect, state: 'uncertain' };
  const look = await step.look(context.signal);
  if (look.found === 'done') return verified(context, uncertain, look.observed);
  if (look.found === 'other') return givenUp(context, uncertain, look.observed);
  return { end: 'not_done', observed: `${reason}; ${look.observed}`, effect: effect.id };
}

/**
 * For a request that is being cancelled. An act of an effector that lost its lease may still be on its way until `actUntil`: "not there"
 * counts only after that.
 */
async function lookOnly(context: TaskContext, step: EffectStep, effect: EffectAnswer): Promise<EffectEnd> {
  let look: Look = await step.look(context.signal);
  const settled = effect.state === 'intended' || effect.state === 'completed' ? 0 : Date.parse(effect.actUntil);
  while (look.found === 'absent' && Date.now() < settled) {
    await sleep(Math.min(LOOK_AGAIN_MS, Math.max(1, settled - Date.now())), undefined, { signal: context.signal });
    look = await step.look(context.signal);
  }
  if (look.found === 'done') return verified(context, effect, look.observed);
  // Intended and not there: it was never started. Failed and not there: that is what it says already.
  if (look.found === 'absent' && (effect.state === 'intended' || effect.state === 'failed'))
    return { end: 'nothing', observed: look.observed, effect: effect.id };
  return givenUp(context, effect, look.observed);
}

async function verified(context: TaskContext, effect: EffectAnswer, observed: string): Promise<EffectEnd> {
  await crossing('effect.verify', () => recordAll(context, effect, TO_VERIFIED, observed));
  return { end: 'verified', observed, effect: effect.id };
}

async function givenUp(context: TaskContext, effect: EffectAnswer, observed: string): Promise<EffectEnd> {
  await crossing('effect.verify', () => recordAll(context, effect, TO_GIVEN_UP, observed));
  return { end: 'refuted', observed, effect: effect.id };
}

async function recordAll(
  context: TaskContext,
  effect: EffectAnswer,
  path: Readonly<Record<string, readonly EffectEventName[]>>,
  observed: string,
): Promise<void> {
  for (const event of path[effect.state] ?? []) await context.recordEffect(effect.id, event, observed);
}
