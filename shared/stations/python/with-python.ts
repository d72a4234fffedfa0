import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TaskContext, TaskFailure, type TaskHandler, type TaskResult } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { RegistryRefusal } from '../packages/registry.ts';
import { failureOfRegistry } from '../packages/registry-failure.ts';
import { openBase } from '../work/base.ts';
import { readDeclaration } from '../work/inputs.ts';
import { type FetchedEnvironment, wheelsDigest } from './environment-archive.ts';
import { environmentConcerns } from './environment-concerns.ts';
import { fetchPython } from './fetch-python.ts';

/** The task `fetch-packages` with the Python packages of the application's environment beside those of npm. */
export function withPython(
  fetchPackages: TaskHandler,
  configuration: { readonly driver: SandboxDriver; readonly index: string | undefined },
): TaskHandler {
  return async (context) => {
    const setup = (await readDeclaration(context)).environment?.setup?.python;
    if (setup === undefined) return await fetchPackages(context);
    const environment = await pythonOf(context, setup, configuration);
    const result = await fetchPackages(context);
    return 'failure' in result ? result : { outcome: joined(result.outcome, environment) };
  };
}

/** In a directory of its own: both parts open the base. */
async function pythonOf(
  context: TaskContext,
  setup: Parameters<typeof fetchPython>[2],
  configuration: Parameters<typeof fetchPython>[3],
): Promise<FetchedEnvironment> {
  const directory = join(context.directory, 'environment');
  await mkdir(directory, { mode: 0o700 });
  const own = { ...context, directory };
  try {
    return await fetchPython(own, await openBase(own), setup, configuration);
  } catch (error) {
    if (error instanceof RegistryRefusal) throw new TaskFailure(failureOfRegistry(error));
    throw error;
  }
}

type Outcome = Extract<TaskResult, { outcome: unknown }>['outcome'];

function joined(outcome: Outcome, environment: FetchedEnvironment): Outcome {
  const { facts } = outcome;
  const own = environmentConcerns(environment);
  const concerns = [...(facts.concerns ?? []).filter(({ kind }) => !own.some((each) => each.kind === kind)), ...own];
  const fetched = `${environment.wheels.length} wheels for Python ${environment.python} (${wheelsDigest(environment)})`;
  const [first] = environment.missing;
  const parts = [
    fetched,
    ...(first === undefined ? [] : [`not had: ${first}`]),
    // Of npm there is nothing to say where it was not asked.
    ...(outcome.verdict === 'none' ? [] : [outcome.summary]),
  ];
  return {
    ...outcome,
    verdict: outcome.verdict === 'none' ? 'ok' : outcome.verdict,
    summary: parts.join('; ').slice(0, 2_000),
    facts: concerns.length === 0 ? facts : { ...facts, concerns },
    unknowns: [...outcome.unknowns, ...environment.missing.map((each) => `Python: ${each}`.slice(0, 500))].slice(0, 50),
  };
}
