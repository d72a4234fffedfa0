import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../domain/application/declaration.ts';
import { makePlan, type Plan } from '../../domain/deployment/plan.ts';
import { LIMITS } from '../../domain/limits.ts';
import { AzFailed, runAz } from './az.ts';

const { askMs } = LIMITS.deployment;

export type Compiled = { readonly template: unknown; readonly parameters: unknown };

/** What a deployment stack says of itself. `mark` is its description: which plan it was made of, and by whom. */
export type StackState = { readonly mark: string; readonly state: string };

const listed = z.array(z.looseObject({ mark: z.string().nullable(), state: z.string().nullable() })).max(1);

/** States in which nothing of a stack is going on (Microsoft.Resources/deploymentStacks, DeploymentStackProvisioningState). */
const AT_REST: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled']);
export const isAtRest = ({ state }: StackState): boolean => AT_REST.has(state);

/** The stack of an environment, or null when there is none of its name. @throws AzFailed */
export async function readStack({ subscription, stack }: Environment, signal: AbortSignal): Promise<StackState | null> {
  const text = await runAz(
    [
      ...['stack', 'sub', 'list', '--subscription', subscription, '--output', 'json'],
      ...['--query', `[?name=='${stack}'].{mark: description, state: provisioningState}`],
    ],
    { signal, askMs },
  );
  const [found] = parse('az stack sub list', listed, text);
  return found === undefined ? null : { mark: found.mark ?? '', state: (found.state ?? 'unknown').toLowerCase() };
}

/**
 * What deploying these files would change, as a plan. Reads only. Equal answers give equal plans.
 *
 * @throws AzFailed when Azure does not answer, or with half an answer.
 */
export async function lookAhead(
  environment: Environment,
  compiled: Compiled,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<Plan> {
  const { subscription, location, stack, name } = environment;
  const text = await runAz(
    [
      ...['deployment', 'sub', 'what-if', '--subscription', subscription, '--location', location],
      ...(await fileArguments(compiled, directory)),
      ...['--result-format', 'FullResourcePayloads', '--no-pretty-print', '--output', 'json'],
    ],
    { signal, askMs },
  );
  const answer = parse('az deployment sub what-if', z.record(z.string(), z.unknown()), text);
  try {
    return makePlan(
      { environment: name, subscription, stack, location },
      answer,
      compiled.parameters,
      compiled.template,
    );
  } catch (error) {
    throw new AzFailed(`az deployment sub what-if: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Begins to bring the stack to the plan, and does not wait for it. What leaves the template is detached, never deleted: it may hold state.
 * ARM refuses a second update while one is under way (documented; no subscription has been asked).
 *
 * @throws AzFailed
 */
export async function beginDeployment(
  environment: Environment,
  compiled: Compiled,
  mark: string,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<void> {
  const { subscription, location, stack } = environment;
  await runAz(
    [
      ...['stack', 'sub', 'create', '--subscription', subscription, '--name', stack, '--location', location],
      ...(await fileArguments(compiled, directory)),
      ...['--description', mark, '--action-on-unmanage', 'detachAll', '--deny-settings-mode', 'none'],
      ...['--yes', '--no-wait', '--output', 'none'],
    ],
    { signal, askMs },
  );
}

/** The names end in .json: of another file az would take the compiler to be wanted. */
async function fileArguments({ template, parameters }: Compiled, directory: string): Promise<string[]> {
  const place = await mkdtemp(join(directory, 'deployment-'));
  const [templateFile, parametersFile] = [join(place, 'template.json'), join(place, 'parameters.json')];
  await writeFile(templateFile, JSON.stringify(template), { mode: 0o600 });
  await writeFile(parametersFile, JSON.stringify(parameters), { mode: 0o600 });
  return ['--template-file', templateFile, '--parameters', parametersFile];
}

function parse<T extends z.ZodType>(what: string, schema: T, text: string): z.infer<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new AzFailed(
      `${what} gave no answer that can be read: ${error instanceof Error ? error.message.slice(0, 500) : String(error)}`,
    );
  }
}
