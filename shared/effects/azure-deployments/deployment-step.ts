import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../domain/application/declaration.ts';
import type { IntendBody } from '../../jobs/protocol.ts';
import type { EffectStep, Look } from '../deliver/effect-step.ts';
import type { Arm } from './arm.ts';
import { ArmFailed, type ArmFault } from './arm-failed.ts';
import { beginDeployment, type Compiled, isAtRest, readStack, type StackState } from './stack.ts';

/** How often a deployment under way is looked at, and how long one that was begun may take to show. Milliseconds. */
type Pace = { readonly pollMs: number; readonly settleMs: number };

/** Answers by which nothing was begun, for certain. Without one of them only a look can tell. */
const WAS_REFUSED: ReadonlySet<ArmFault> = new Set(['denied', 'absent', 'conflict', 'refused']);

/** Names plan and request: the same plan may rightly be applied again later, after somebody took away what it made. */
export const deploymentMark = (plan: string, request: string): string => `plan ${plan} for ${request}`;

/**
 * Brings a deployment stack to the approved plan. The fence is the stack's own mark: acting comes after a look that found neither our
 * mark nor anything under way, and after the plan was made anew and found to be the approved one (`current`). Between that and acting
 * stands ARM's refusal of a second update while one is under way.
 */
export function deploymentStep(deployment: {
  readonly arm: Arm;
  readonly environment: Environment;
  readonly compiled: Compiled;
  readonly mark: string;
  /** Whether what would change is, now, what was approved. */
  readonly current: boolean;
  readonly pace: Pace;
  readonly intend: Pick<IntendBody, 'ordinal' | 'target' | 'tree' | 'expectedBefore'>;
}): EffectStep {
  const { arm, environment, mark, pace } = deployment;
  let begun = false;

  // Work that goes on is waited for here: an effect is done when its target has come to rest. The job's own time limits it.
  const look = async (signal: AbortSignal): Promise<Look> => {
    const settled = performance.now() + pace.settleMs;
    for (;;) {
      const seen = await readStack(arm, environment, signal);
      const ours = seen?.mark === mark;
      if (seen !== null && ours && isAtRest(seen))
        return { found: seen.state === 'succeeded' ? 'done' : 'other', observed: describe(environment, seen) };
      if (!ours && seen !== null && !isAtRest(seen)) return { found: 'other', observed: describe(environment, seen) };
      if (!ours && (!begun || performance.now() > settled))
        return { found: 'absent', observed: describe(environment, seen) };
      await sleep(pace.pollMs, undefined, { signal });
    }
  };

  return {
    crossing: 'effect.deployment',
    intention: `bring the stack ${environment.stack} to the ${mark}`,
    intend: {
      ...deployment.intend,
      kind: 'azure_deployment',
      rollback: `Deploy the commit before this one as a plan of its own. What this deployment created is then detached from ${environment.stack}, not deleted: delete it by hand.`,
    },
    look,
    async act(_effect, signal) {
      if (!deployment.current)
        return { did: 'fenced', observed: 'what would change is not what was approved any more: nothing was applied' };
      try {
        await beginDeployment(arm, environment, deployment.compiled, mark, signal);
      } catch (error) {
        if (!(error instanceof ArmFailed) || !WAS_REFUSED.has(error.fault)) throw error;
        // Whose update it is that ARM refuses this one beside may take as long to show as an own one.
        begun = error.fault === 'conflict';
        return { did: 'fenced', observed: error.message };
      }
      begun = true;
      return { did: 'acted', observed: `the deployment of ${environment.stack} was begun as ${mark}` };
    },
  };
}

const describe = ({ stack }: Environment, seen: StackState | null): string =>
  seen === null
    ? `there is no stack ${stack}`
    : `the stack ${stack} is of ${seen.mark.slice(0, 300) || 'no plan'}, ${seen.state}`;
