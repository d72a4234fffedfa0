import { z } from 'zod';
import type { Environment } from '../../domain/application/declaration.ts';
import { makePlan, type Plan } from '../../domain/deployment/plan.ts';
import type { Arm } from './arm.ts';
import { ArmFailed, faultOf } from './arm-failed.ts';
import { saidOf } from './arm-transport.ts';

/** A deployment's name is shorter than a stack's may be. */
const DEPLOYMENT_NAME_LENGTH = 64;

/** As the published management packages speak them: arm-resources 8.0.0 and arm-resourcesdeploymentstacks 1.0.0. */
const API_VERSION = { deployments: '2025-04-01', stacks: '2024-03-01' };

export type Compiled = { readonly template: unknown; readonly parameters: unknown };

/** What a deployment stack says of itself. `mark` is its description: which plan it was made of, and by whom. */
export type StackState = { readonly mark: string; readonly state: string };

const stackAnswer = z.looseObject({
  properties: z.looseObject({ description: z.string().nullish(), provisioningState: z.string().nullish() }),
});
const whatIfAnswer = z.looseObject({
  status: z.string(),
  error: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).nullish(),
});
const parameterFile = z.looseObject({ parameters: z.record(z.string(), z.unknown()) });

/** States in which nothing of a stack is going on (Microsoft.Resources/deploymentStacks, DeploymentStackProvisioningState). */
const AT_REST: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled']);
export const isAtRest = ({ state }: StackState): boolean => AT_REST.has(state);

/** The stack of an environment, or null when there is none of its name. @throws ArmFailed */
export async function readStack(arm: Arm, environment: Environment, signal: AbortSignal): Promise<StackState | null> {
  const what = `The stack ${environment.stack} of ${scopeOf(environment)}`;
  const request = { what, method: 'GET', path: stackPath(environment), apiVersion: API_VERSION.stacks } as const;
  let answer: unknown;
  try {
    answer = await arm.read(request, signal);
  } catch (error) {
    // Only a code of the service says that a stack is not there: a page of somebody else's 404 does not.
    if (error instanceof ArmFailed && error.fault === 'absent' && /^(?!Subscription).*NotFound$/.test(error.code))
      return null;
    throw error;
  }
  const { description, provisioningState } = readAs(stackAnswer, answer, what).properties;
  return { mark: description ?? '', state: (provisioningState ?? 'unknown').toLowerCase() };
}

/**
 * What deploying these files would change, as a plan. Reads only. Equal answers give equal plans: the look has the stack's name, since a
 * change may name the deployment it is of.
 *
 * @throws ArmFailed when Azure does not answer, or with half an answer.
 */
export async function lookAhead(
  arm: Arm,
  environment: Environment,
  compiled: Compiled,
  signal: AbortSignal,
): Promise<Plan> {
  const { subscription, location, stack, name } = environment;
  const what = `The look ahead of ${stack} at ${scopeOf(environment)}`;
  const answer = await arm.read(
    {
      what,
      method: 'POST',
      path: `${scopeOf(environment)}/providers/Microsoft.Resources/deployments/${encodeURIComponent(stack.slice(0, DEPLOYMENT_NAME_LENGTH))}/whatIf`,
      apiVersion: API_VERSION.deployments,
      body: {
        location,
        properties: {
          mode: 'Incremental',
          template: compiled.template,
          parameters: parametersOf(compiled, what),
          whatIfSettings: { resultFormat: 'FullResourcePayloads' },
        },
      },
    },
    signal,
  );
  const { status, error, properties } = readAs(whatIfAnswer, answer, what);
  if (status !== 'Succeeded' || (error !== undefined && error !== null)) {
    const { code, said } = saidOf(error);
    throw new ArmFailed(faultOf(200, code), `${what}: it ended as ${status.slice(0, 100)} ${said}`.trim(), { code });
  }
  try {
    return makePlan(
      { environment: name, subscription, stack, location },
      // az prints it flat, and plans are made of that.
      { ...properties, status },
      compiled.parameters,
      compiled.template,
    );
  } catch (cause) {
    throw unreadable(what, cause);
  }
}

/**
 * Begins to bring the stack to the plan, and does not wait for it. What leaves the template is detached, never deleted: it may hold state.
 * ARM refuses a second update while one is under way (409 DeploymentStackInNonTerminalState; reported by users, asked of no subscription).
 *
 * @throws ArmFailed
 */
export async function beginDeployment(
  arm: Arm,
  environment: Environment,
  compiled: Compiled,
  mark: string,
  signal: AbortSignal,
): Promise<void> {
  const what = `The deployment of ${environment.stack} to ${scopeOf(environment)}`;
  await arm.begin(
    {
      what,
      method: 'PUT',
      path: stackPath(environment),
      apiVersion: API_VERSION.stacks,
      body: {
        location: environment.location,
        properties: {
          description: mark,
          template: compiled.template,
          parameters: parametersOf(compiled, what),
          actionOnUnmanage: { resources: 'detach', resourceGroups: 'detach', managementGroups: 'detach' },
          denySettings: { mode: 'none' },
        },
      },
    },
    signal,
  );
}

const scopeOf = ({ subscription }: Environment): string => `/subscriptions/${encodeURIComponent(subscription)}`;

const stackPath = (environment: Environment): string =>
  `${scopeOf(environment)}/providers/Microsoft.Resources/deploymentStacks/${encodeURIComponent(environment.stack)}`;

/** A parameter file is a document around its parameters; the service takes the parameters. */
function parametersOf({ parameters }: Compiled, what: string): Readonly<Record<string, unknown>> {
  const file = parameterFile.safeParse(parameters);
  if (!file.success) throw new ArmFailed('refused', `${what}: the file of parameters has no object "parameters"`);
  return file.data.parameters;
}

function readAs<T extends z.ZodType>(schema: T, answer: unknown, what: string): z.infer<T> {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw unreadable(what, read.error);
}

const unreadable = (what: string, cause: unknown): ArmFailed =>
  new ArmFailed(
    'passing',
    `${what}: the answer is none that can be read: ${cause instanceof Error ? cause.message.slice(0, 500) : String(cause)}`,
  );
