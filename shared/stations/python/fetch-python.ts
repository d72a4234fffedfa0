import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PythonSetup } from '../../domain/application/check-environment.ts';
import type { TaskContext } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { readTreeFile } from '../../sandbox/git/tree-files.ts';
import { RegistryRefusal } from '../packages/registry.ts';
import type { Snapshot } from '../work/base.ts';
import { readDeclaration } from '../work/inputs.ts';
import { requireSandbox } from '../work/sandbox-permission.ts';
import { requireToolchains } from '../work/toolchains.ts';
import { downloadWheels } from './download-wheels.ts';
import { type FetchedEnvironment, writeEnvironment } from './environment-archive.ts';
import { LOCK_FILES } from './lock-files.ts';
import { readProjectDependencies } from './project-dependencies.ts';
import { openPythonIndex } from './python-index.ts';
import type { Requirements } from './requirement.ts';
import { readRequirementsFiles } from './requirements-file.ts';

const mostMissing = 200;

/**
 * Fetches the Python packages of an application's environment, as the base asks for them, and writes the output `environment`. What
 * can't be had stops nothing: it is named there and in the outcome, and a check that needs it says so. Throws a
 * {@link RegistryRefusal} where another attempt may pass, or where bytes are not those that are pinned.
 */
export async function fetchPython(
  context: TaskContext,
  base: Snapshot,
  setup: PythonSetup,
  configuration: { readonly driver: SandboxDriver; readonly index: string | undefined },
): Promise<FetchedEnvironment> {
  const { driver } = configuration;
  const declaration = await readDeclaration(context);
  await requireSandbox(driver, declaration);
  const toolchains = await requireToolchains(driver, declaration);
  const requirements = await requirementsOf(setup, (path) =>
    readTreeFile(base.repository, base.tree, path, context.signal),
  );
  const python = toolchains.versions['python'] ?? '';
  const without = (why: string): FetchedEnvironment => described(null, python, [], [why, ...requirements.left]);
  let environment: FetchedEnvironment;
  let directory = '';
  if (requirements.wanted.length === 0) environment = without('the declared files name no package of an index');
  else if (configuration.index === undefined)
    environment = without(
      'this packages worker has no index of Python packages: set FACTORY_PYTHON_INDEX to the address of its simple API',
    );
  else if (driver.isolation === 'none')
    environment = without('choosing packages needs a sandbox with a network of its own (bubblewrap)');
  else {
    const index = openPythonIndex(configuration.index, context.signal);
    try {
      const download = await downloadWheels({ context, driver, toolchains, index, requirements });
      directory = download.directory;
      environment = {
        ...described(index.base, python, download.wheels, requirements.left),
        ...(download.locked ? {} : { resolvedAt: new Date().toISOString() }),
      };
    } catch (error) {
      if (!(error instanceof RegistryRefusal) || error.passing || error.code === 'PACKAGE-INTEGRITY') throw error;
      environment = without(error.message);
    }
  }
  const file = join(context.directory, 'environment.tar');
  await writeEnvironment(file, environment, (wheel) => readFile(join(directory, wheel.file)));
  await context.output({ name: 'environment', kind: 'packages_cache', mediaType: 'application/x-tar', file });
  return environment;
}

const described = (
  index: string | null,
  python: string,
  wheels: FetchedEnvironment['wheels'],
  missing: readonly string[],
): FetchedEnvironment => ({
  schemaVersion: 1,
  index,
  python,
  wheels: [...wheels],
  missing: missing.slice(0, mostMissing).map((each) => each.slice(0, 500)),
});

/** Everything that the declared files ask for, in their order. */
async function requirementsOf(
  setup: PythonSetup,
  read: (path: string) => Promise<string | undefined>,
): Promise<Requirements> {
  const parts: Requirements[] = [];
  const plain: string[] = [];
  for (const path of setup.requirements ?? []) {
    const readLock = LOCK_FILES[path.split('/').at(-1) ?? ''];
    if (readLock === undefined) {
      plain.push(path);
      continue;
    }
    const text = await read(path);
    parts.push((text === undefined ? undefined : readLock(text)) ?? unread(path));
  }
  parts.push(await readRequirementsFiles(read, plain));
  if (setup.project !== undefined) {
    const text = await read('pyproject.toml');
    parts.push(
      (text === undefined ? undefined : readProjectDependencies(text, setup.project)) ?? unread('pyproject.toml'),
    );
  }
  return {
    wanted: parts.flatMap(({ wanted }) => wanted),
    constraints: parts.flatMap(({ constraints }) => constraints),
    left: parts.flatMap(({ left }) => left),
  };
}

const unread = (path: string): Requirements => ({
  wanted: [],
  constraints: [],
  left: [`${path} is not in the repository, or can't be read`],
});
