import { setTimeout as sleep } from 'node:timers/promises';
import { deploymentTarget, planPath } from '../../domain/deployment/environment.ts';
import { planText, readPlan } from '../../domain/deployment/plan.ts';
import { digestOfBytes } from '../../domain/digest.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import type { Arm } from '../azure-deployments/arm.ts';
import { deploymentMark, deploymentStep } from '../azure-deployments/deployment-step.ts';
import { declaredEnvironment } from '../azure-deployments/look-deployment.ts';
import { isAtRest, lookAhead, readStack } from '../azure-deployments/stack.ts';
import type { EffectMode, EffectStep } from './effect-step.ts';
import type { TestedChange } from './tested-change.ts';

/** `stale`: the plan is to be made, tested and approved again; nothing was intended. */
type DeploymentDelivery = { readonly stale: string } | { readonly step: EffectStep; readonly plan: string };

/**
 * The plan lies in the tested tree, and with it everything that is applied. Before anything is intended it is made anew: what would
 * change now must be, to the byte, what was approved.
 */
export async function deploymentDelivery(
  arm: Arm,
  context: TaskContext,
  change: TestedChange,
  mode: EffectMode,
): Promise<DeploymentDelivery> {
  const { signal, claim } = context;
  const environment = await declaredEnvironment(context);
  const path = planPath(environment);
  const text = await readTreeFile(change.repository, change.tree, path, signal);
  if (text === undefined)
    throw new TaskFailure({
      kind: 'terminal',
      code: 'PLAN-MISSING',
      message: `The tested tree ${change.digest} has no ${path}.`,
    });
  const approved = readPlan(text);
  const plan = digestOfBytes(text);
  const mark = deploymentMark(plan, claim.request);
  let seen = await readStack(arm, environment, signal);
  // Somebody else is deploying: what would change is asked for when they are done, within this job's time.
  while (mode === 'act' && seen !== null && seen.mark !== mark && !isAtRest(seen)) {
    await sleep(LIMITS.deployment.pollMs, undefined, { signal });
    seen = await readStack(arm, environment, signal);
  }
  const begun = seen?.mark === mark;
  const current = mode === 'look' || begun || planText(await lookAhead(arm, environment, approved, signal)) === text;
  // A later lease of this job can't know whether an earlier one began the effect: it takes over, and the step refuses to act.
  if (!current && claim.epoch === 1)
    return {
      stale: `What would change is not what the plan ${plan} says any more. It is looked at and asked for again.`,
    };
  const step = deploymentStep({
    arm,
    environment,
    compiled: approved,
    mark,
    current,
    pace: LIMITS.deployment,
    intend: {
      ordinal: 0,
      target: deploymentTarget(environment),
      tree: change.digest,
      expectedBefore: (seen?.mark ?? '').slice(0, 500),
    },
  });
  return { step, plan };
}
