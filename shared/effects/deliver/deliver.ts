import { type TaskContext, TaskFailure, type TaskHandler, type TaskResult } from '../../jobs/task.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Arm } from '../azure-deployments/arm.ts';
import { ArmFailed } from '../azure-deployments/arm-failed.ts';
import { armFailure } from '../azure-deployments/arm-failure.ts';
import { CodeHostUnreachable } from '../code-hosts/code-host.ts';
import { repositoryOf } from '../code-hosts/repository.ts';
import { deliverFailure } from './deliver-failure.ts';
import { planDelivery, writeDelivery } from './delivery.ts';
import { delivered, looked, notDelivered, stale } from './delivery-result.ts';
import type { EffectEnd, EffectMode } from './effect-step.ts';
import { performEffect } from './perform-effect.ts';
import { openTestedChange } from './tested-change.ts';

/**
 * Task `deliver` (pool effect): brings the packet's output about, as ordered effects, each fenced, looked at and recorded. Verdict
 * `delivered` when every one was seen; `refuted` when one is in a state that a person must judge; `stale` when what was approved is not
 * what would happen any more, before anything was intended. With the parameter `lookOnly` (a
 * cancelled request) it only finds out and records what did happen.
 */
export const deliver =
  (arm: Arm): TaskHandler =>
  async (context) => {
    const mode: EffectMode = context.claim.parameters['lookOnly'] === true ? 'look' : 'act';
    try {
      return await deliverAs(arm, context, mode);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof ArmFailed) throw new TaskFailure(armFailure(error));
      if (error instanceof CodeHostUnreachable || error instanceof SandboxRefusal)
        throw new TaskFailure(deliverFailure(error));
      throw error;
    }
  };

async function deliverAs(arm: Arm, context: TaskContext, mode: EffectMode): Promise<TaskResult> {
  const repository = await repositoryOf(context);
  const change = await openTestedChange(context);
  const delivery = await planDelivery(arm, context, repository, change, mode);
  if ('stale' in delivery) return stale(delivery.stale, change);
  const ends: EffectEnd[] = [];
  for (const step of delivery.steps) {
    const end = await performEffect(context, step, mode);
    ends.push(end);
    if (mode === 'act' && end.end !== 'verified') return notDelivered(step, ends, change);
  }
  if (mode === 'look') return looked(delivery.steps, ends, change);
  await writeDelivery(context, repository, change, delivery, ends);
  return delivered(ends, change);
}
