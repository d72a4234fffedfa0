import { canonicalJson } from '../digest.ts';
import type { Plan, PlanTarget } from './plan.ts';

/** Change types of a what-if (Microsoft.Resources/deployments, ChangeType) that leave a resource as it is … */
const QUIET: ReadonlySet<string> = new Set(['NoChange', 'Ignore']);
/** … and those that any deployment may bring. `Deploy`: it is deployed again, and what of it changes is not told. */
const USUAL: ReadonlySet<string> = new Set([...QUIET, 'Create', 'Modify', 'Deploy']);

const both = ({ changes, potentialChanges }: Plan) => [...changes, ...potentialChanges];

/** Whether applying the plan would leave every resource as it is. */
export const changesNothing = (plan: Plan): boolean => both(plan).every(({ changeType }) => QUIET.has(changeType));

/** Changes that the packet did not allow, those that may or may not happen included; one line a resource. */
export function forbiddenChanges(plan: Plan, allow: readonly string[]): string[] {
  return both(plan)
    .filter(({ changeType }) => !USUAL.has(changeType) && !allow.includes(changeType))
    .map(({ changeType, resourceId }) => `${changeType} of ${resourceId}`.slice(0, 500));
}

/** Why a plan is not one of these compiled files for this target; empty when it is. */
export function foreignTo(
  plan: Plan,
  of: { readonly target: PlanTarget; readonly template: unknown; readonly parameters: unknown },
): string[] {
  const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
  return [
    ...(same(plan.target, of.target) ? [] : ['the plan is for another target than the declared environment']),
    ...(same(plan.template, of.template) ? [] : ["the plan's template is not the template.json of the base"]),
    ...(same(plan.parameters, of.parameters) ? [] : ["the plan's parameters are not the parameters.json of the base"]),
  ];
}
