import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { TaskFailure } from '../../jobs/task.ts';
import type { RunTools } from '../../sandbox/driver.ts';
import type { PackageManager } from './locked.ts';

/**
 * The package managers that the factory brings along, pinned by its own lockfile. What a repository names (`packageManager`, a
 * release under `.yarn`, corepack) is never fetched and never run when packages are resolved.
 */
type Program = { readonly module: string; readonly script: string; readonly commands: readonly string[] };

const pnpm = (module: string): Program => ({ module, script: 'bin/pnpm.cjs', commands: ['pnpm'] });
const berry = (module: string): Program => ({ module, script: 'bin/yarn.js', commands: ['yarn', 'yarnpkg'] });

/** The program that writes lockfiles of a version as it is, so that an update rewrites nothing else. */
function programFor(manager: PackageManager, lockfileVersion: string): Program | undefined {
  switch (manager) {
    case 'npm':
      return undefined;
    case 'pnpm':
      return pnpm(lockfileVersion.startsWith('6') ? 'pnpm-8' : 'pnpm');
    case 'yarn':
      return { module: 'yarn', script: 'bin/yarn.js', commands: ['yarn', 'yarnpkg'] };
    case 'berry': {
      const version = Number(lockfileVersion);
      return berry(version <= 6 ? 'yarn-3' : version <= 8 ? 'yarn-4' : '@yarnpkg/cli-dist');
    }
  }
}

export type OpenedManager = {
  readonly tools: RunTools;
  readonly environment: Readonly<Record<string, string>>;
  /** Name → version, for receipts. */
  readonly versions: Readonly<Record<string, string>>;
};

/** A manager of the repository's own choice, never: switched off in each way that one has to bring in another of its kind. */
const environment = {
  COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
  npm_config_manage_package_manager_versions: 'false',
  npm_config_package_manager_strict: 'false',
  npm_config_update_notifier: 'false',
  YARN_IGNORE_PATH: '1',
  YARN_ENABLE_TELEMETRY: '0',
} as const;

/** Its own folder: pnpm exports nothing by name, its package.json not either. */
async function homeOf(module: string): Promise<string> {
  const folders = createRequire(import.meta.url).resolve.paths(module) ?? [];
  const found = folders
    .map((folder) => join(folder, module))
    .find((folder) => existsSync(join(folder, 'package.json')));
  if (found !== undefined) return realpath(found);
  throw new TaskFailure({
    kind: 'retryable',
    class: 'environment',
    code: 'PACKAGE-MANAGER-MISSING',
    message: `The package ${module} is not installed on this worker; run npm ci in the factory's own folder.`,
  });
}

/** Puts a manager's commands first in PATH of a sandbox; null for npm, which is beside its Node. Writes below a directory of the job. */
export async function openManager(
  manager: PackageManager,
  lockfileVersion: string,
  directory: string,
): Promise<OpenedManager | null> {
  const program = programFor(manager, lockfileVersion);
  if (program === undefined) return null;
  const home = await homeOf(program.module);
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  await mkdir(join(directory, 'manager'), { recursive: true, mode: 0o755 });
  const bin = await realpath(join(directory, 'manager'));
  for (const command of program.commands) {
    const file = join(bin, command);
    await writeFile(file, `#!/bin/sh\nexec node '${join(home, program.script)}' "$@"\n`);
    await chmod(file, 0o755);
  }
  return {
    tools: { path: [bin], directories: [bin, home] },
    environment,
    versions: { [manager === 'pnpm' ? 'pnpm' : 'yarn']: version },
  };
}
