import { join } from 'node:path';
import type { Environment } from '../../domain/application/declaration.ts';
import { deploymentFaults, deploymentTarget, environmentOf } from '../../domain/deployment/environment.ts';
import { planText } from '../../domain/deployment/plan.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type TaskContext, TaskFailure, type TaskHandler, type TaskResult } from '../../jobs/task.ts';
import { openBundle } from '../../sandbox/git/bundle.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import { readTask } from '../code-hosts/repository.ts';
import { deliverFailure } from '../deliver/deliver-failure.ts';
import type { Arm } from './arm.ts';
import { ArmFailed } from './arm-failed.ts';
import { armFailure } from './arm-failure.ts';
import { type Compiled, lookAhead } from './stack.ts';

/**
 * Task `look-deployment` (pool fetch): what deploying the compiled files of the fetched commit to the declared environment would
 * change, asked under the effector's identity and changing nothing. Puts out the plan as `deployment`. Nothing is compiled here: a
 * compiler reads whatever a source names, and this process holds a credential.
 */
export const lookDeployment =
  (arm: Arm): TaskHandler =>
  async (context) => {
    try {
      return await look(arm, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof ArmFailed) throw new TaskFailure(armFailure(error));
      if (error instanceof SandboxRefusal) throw new TaskFailure(deliverFailure(error));
      throw error;
    }
  };

async function look(arm: Arm, context: TaskContext): Promise<TaskResult> {
  const environment = await declaredEnvironment(context);
  const compiled = await compiledFiles(context, environment);
  const plan = await lookAhead(arm, environment, compiled, context.signal);
  const bytes = planText(plan);
  const { planBytes } = LIMITS.deployment;
  if (Buffer.byteLength(bytes) > planBytes)
    throw asked(
      'PLAN-TOO-LARGE',
      `The plan has more than ${planBytes} bytes. Split the deployment into smaller stacks?`,
    );
  await context.output({ name: 'deployment', kind: 'deployment_plan', mediaType: 'application/json', bytes });
  const counts = Object.entries(plan.summary).map(([type, count]) => `${type} ${count}`);
  const summary = `${deploymentTarget(environment)}: ${counts.join(', ') || 'nothing listed'}`;
  const facts = { paths: [], manifests: [], testPaths: [], count: plan.changes.length };
  return { outcome: { verdict: 'looked', summary: summary.slice(0, 2_000), facts, unknowns: [] } };
}

/** The environment as people declared it; of the packet only its name counts. */
export async function declaredEnvironment(context: TaskContext): Promise<Environment> {
  const { packet, declaration } = await readTask(context);
  const environment = environmentOf(packet, declaration);
  const [fault] = deploymentFaults(packet, declaration);
  if (environment !== undefined && fault === undefined) return environment;
  const message = fault?.message ?? `The line ${packet.line.name} has no environment.`;
  throw new TaskFailure({ kind: 'terminal', code: 'ENVIRONMENT-UNFIT', message });
}

async function compiledFiles(context: TaskContext, { directory }: Environment): Promise<Compiled> {
  const { signal } = context;
  const repository = join(context.directory, 'deployed.git');
  const { tree } = await openBundle({ file: await context.inputFile('source'), into: repository, signal });
  const read = async (name: string): Promise<unknown> => {
    const text = await readTreeFile(repository, tree, `${directory}/${name}`, signal);
    const value = text === undefined ? undefined : parsed(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    const what =
      text === undefined ? `has no file ${directory}/${name}` : `has a ${directory}/${name} that is no JSON object`;
    throw asked(
      'NOT-COMPILED',
      `The commit ${what}. Compile with infra/scripts/compile.sh, commit both files to the folder that the environment declares, and submit again?`,
    );
  };
  return { template: await read('template.json'), parameters: await read('parameters.json') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const asked = (code: string, question: string): TaskFailure => new TaskFailure({ kind: 'needs_human', code, question });
