import type { Environment } from '../../domain/application/declaration.ts';
import { environmentOf, planPath } from '../../domain/deployment/environment.ts';
import { changesNothing, forbiddenChanges, foreignTo } from '../../domain/deployment/judge-plan.ts';
import { type Plan, readPlan } from '../../domain/deployment/plan.ts';
import { digestOfBytes } from '../../domain/digest.ts';
import { TaskFailure } from '../../jobs/task.ts';
import { diffTrees } from '../../sandbox/git/diff.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier } from './line-verifier.ts';

type DeploymentClaims = Extract<LineClaims, { line: 'azure-deployment' }>;

/**
 * The plan must be what the effector's look gave out, of the base's own compiled files and for the declared environment, and bring no
 * change that the packet does not allow. The change is this file and nothing else.
 */
export const azureDeploymentVerifier: LineVerifier = { before, after };

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  const looked = await lookedAt(bench);
  const claims = claimsOf(bench, looked.text, looked.plan);
  const faults = await planFaults(bench, base, looked.plan);
  const [first] = faults;
  if (first !== undefined) {
    const question = `The deployment can't be planned: ${faults.slice(0, 10).join('; ')}. Allow such changes in the packet's line.allow and submit again, or correct the template?`;
    return { claims, stop: { verdict: 'needs_human', code: 'PLAN-NOT-ALLOWED', question }, intended: null };
  }
  if (!changesNothing(looked.plan)) return { claims, stop: null, intended: null };
  const because = `deploying commit ${base.commit} to ${looked.plan.target.stack} would change nothing`;
  return { claims, stop: { verdict: 'already_true', because }, intended: null };
}

async function after(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
): Promise<{ claims: LineClaims; faults: readonly string[] }> {
  const { signal } = bench.context;
  const path = planPath(environment(bench));
  const looked = await lookedAt(bench);
  const { entries } = await diffTrees({ repository: base.repository, from: base.tree, to: head.tree, signal });
  const faults = entries
    .filter((entry) => entry.path !== path)
    .map((entry) => `${entry.path} changes, which is no part of a plan`);
  const text = await readTreeFile(head.repository, head.tree, path, signal);
  if (text !== looked.text) faults.push(`${path} is not the plan that the look at the environment gave out`);
  faults.push(...(await planFaults(bench, base, looked.plan)));
  return { claims: claimsOf(bench, looked.text, looked.plan), faults };
}

async function planFaults(bench: Bench, base: Snapshot, plan: Plan): Promise<string[]> {
  const { name, subscription, stack, location, directory } = environment(bench);
  const read = async (file: string): Promise<unknown> => {
    const text = await readTreeFile(base.repository, base.tree, `${directory}/${file}`, bench.context.signal);
    return text === undefined ? null : JSON.parse(text);
  };
  const foreign = foreignTo(plan, {
    target: { environment: name, subscription, stack, location },
    template: await read('template.json'),
    parameters: await read('parameters.json'),
  });
  return [...foreign, ...forbiddenChanges(plan, requireLine(bench.packet, 'azure-deployment').allow)];
}

async function lookedAt({ context }: Bench): Promise<{ readonly text: string; readonly plan: Plan }> {
  const text = Buffer.from(await context.input('deployment')).toString('utf8');
  return { text, plan: readPlan(text) };
}

function claimsOf(bench: Bench, text: string, plan: Plan): DeploymentClaims {
  const { name } = environment(bench);
  return { line: 'azure-deployment', environment: name, plan: digestOfBytes(text), changes: { ...plan.summary } };
}

function environment({ packet, declaration }: Bench): Environment {
  const found = environmentOf(packet, declaration);
  if (found !== undefined) return found;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'ENVIRONMENT-UNFIT',
    message: `The application ${declaration.name} does not declare the packet's environment.`,
  });
}
