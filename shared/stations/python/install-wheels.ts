import { join } from 'node:path';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import type { OpenedToolchains } from '../../sandbox/toolchains/open-toolchains.ts';
import { mountAt, places, writableDirectory } from '../work/inside.ts';
import { type FetchedEnvironment, readEnvironment } from './environment-archive.ts';

export type InstalledEnvironment = {
  readonly environment: FetchedEnvironment;
  /** The toolchains with the installed packages on their PATH. */
  readonly toolchains: OpenedToolchains;
};

const installMs = 5 * 60_000;

// Installing a wheel unpacks it; nothing of it is run (PEP 427). The environment does not see the packages of the machine's Python.
const script = `set -e
python3 -m venv --without-pip --symlinks "$1"
python3 -m pip --python "$1/bin/python" install --no-index --no-deps --no-cache-dir --no-compile --quiet "$2"/*.whl`;

/**
 * Installs the job's `environment` input once into a virtual environment, offline and inside the sandbox; runs of base and change
 * see it read-only, and its programs come first. Without wheels the machine's own Python is all there is.
 */
export async function installWheels(
  context: TaskContext,
  driver: SandboxDriver,
  toolchains: OpenedToolchains,
): Promise<InstalledEnvironment> {
  const { environment, directory } = await readEnvironment(context);
  if (environment.wheels.length === 0) return { environment, toolchains };
  const target = await writableDirectory(driver, join(context.directory, 'python'));
  const wheels = mountAt(driver, directory, places.wheels, 'read-only');
  const place = mountAt(driver, target, places.python, 'read-write');
  const result = await driver.run({
    argv: ['/bin/sh', '-c', script, 'install', place.target, wheels.target],
    workingDirectory: driver.isolation === 'none' ? target : '/',
    mounts: [wheels, place],
    tools: toolchains.tools,
    environment: { ...toolchains.environment, PIP_CONFIG_FILE: '/dev/null' },
    limits: { ...defaultSandboxLimits, wallMs: installMs },
    signal: context.signal,
  });
  if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: 'installing packages was cancelled' });
  if (result.exitCode !== 0) {
    const said = new TextDecoder().decode(result.stderr.subarray(-600)).trim();
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'PYTHON-INSTALL-FAILED',
      question: `The Python packages were fetched for Python ${environment.python}, but can't be installed (${result.exitCode ?? result.endedBy}): ${said}. Does this worker have another Python than the packages worker, or one without venv or with a pip before 22.3? Install what it lacks, and submit again?`,
    });
  }
  return {
    environment,
    toolchains: {
      ...toolchains,
      tools: { ...toolchains.tools, path: [`${place.target}/bin`, ...toolchains.tools.path] },
      mounts: [...(toolchains.mounts ?? []), { ...place, mode: 'read-only' }],
      environment: { ...toolchains.environment, VIRTUAL_ENV: place.target },
    },
  };
}
