import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { intersects, validRange } from 'semver';
import { TaskFailure } from '../../jobs/task.ts';
import type { RunTools } from '../../sandbox/driver.ts';
import { fault, type Lock, type LockfileFault, type PackageManager } from './locked.ts';
import { at, type Manifest } from './manifest.ts';

/**
 * The package managers that the factory brings along, pinned by its own lockfile. What a repository names (`packageManager`, a
 * release under `.yarn`, corepack) is never fetched and never run when packages are resolved.
 */
export type Program = { readonly module: string; readonly script: string; readonly commands: readonly string[] };

const pnpm = (module: string, script = 'bin/pnpm.cjs'): Program => ({ module, script, commands: ['pnpm'] });
const yarn = (module: string): Program => ({ module, script: 'bin/yarn.js', commands: ['yarn', 'yarnpkg'] });

/** Which releases write a lockfile's version as it is, the first of them where a repository names none. */
const RELEASES: readonly {
  readonly manager: PackageManager;
  readonly lockfile: RegExp;
  readonly major: number;
  readonly program: Program;
}[] = [
  { manager: 'pnpm', lockfile: /^6\./, major: 8, program: pnpm('pnpm-8') },
  { manager: 'pnpm', lockfile: /^9\./, major: 10, program: pnpm('pnpm') },
  { manager: 'pnpm', lockfile: /^9\./, major: 9, program: pnpm('pnpm-9') },
  { manager: 'pnpm', lockfile: /^9\./, major: 11, program: pnpm('pnpm-11', 'bin/pnpm.mjs') },
  { manager: 'yarn', lockfile: /^1$/, major: 1, program: yarn('yarn') },
  { manager: 'berry', lockfile: /^6$/, major: 3, program: yarn('yarn-3') },
  { manager: 'berry', lockfile: /^8$/, major: 4, program: yarn('yarn-4') },
  { manager: 'berry', lockfile: /^10$/, major: 4, program: yarn('@yarnpkg/cli-dist') },
];

/** What people call it, and what its lockfile and `packageManager` are of. */
export const programName = (manager: PackageManager): 'npm' | 'pnpm' | 'yarn' =>
  manager === 'berry' ? 'yarn' : manager;

/** The program that installs from a lockfile of a version; null for npm, which is beside its Node. */
function programFor(manager: PackageManager, lockfileVersion: string): Program | undefined {
  const exact = RELEASES.find((each) => each.manager === manager && each.lockfile.test(lockfileVersion));
  if (exact !== undefined || manager === 'npm') return exact?.program;
  if (manager !== 'berry') return pnpmOrYarn[manager];
  // A lockfile between two releases is read by the later one.
  const version = Number(lockfileVersion);
  return yarn(version < 6 ? 'yarn-3' : version < 8 ? 'yarn-4' : '@yarnpkg/cli-dist');
}

const pnpmOrYarn = { pnpm: pnpm('pnpm'), yarn: yarn('yarn') } as const;

/**
 * The program that may write a lockfile anew: of the major that the repository names (`packageManager`, else `engines`), and one
 * that keeps the lockfile's version. A fault in words where none is brought along.
 */
export function updateProgram({ manager, file, version }: Lock, root: Manifest): Program | LockfileFault {
  const releases = RELEASES.filter((each) => each.manager === manager && each.lockfile.test(version));
  const own = programName(manager);
  const [, name, major] = /^([a-z]+)@(\d+)/.exec(root.packageManager ?? '') ?? [];
  const engine = at(root.value, ['engines', own]);
  const found = releases.find((each) =>
    name === undefined ? isAdmitted(engine, each.major) : name === own && Number(major) === each.major,
  );
  if (found !== undefined) return found.program;
  const named =
    name === undefined
      ? engine === undefined
        ? ''
        : `package.json asks for ${own} ${String(engine).slice(0, 100)} (engines), and `
      : `package.json names ${root.packageManager?.slice(0, 100)} (packageManager), and `;
  const brought = releases.map((each) => `${own} ${each.major}`).join(', ') || `no release of ${own}`;
  return fault(
    'PACKAGES-MANAGER',
    `${named}${file} is of version ${version}: the factory brings ${brought} to write it, and another release would write it in another form. Update it by hand and submit the change as a patch, which is checked with ${own} itself?`,
  );
}

function isAdmitted(range: unknown, major: number): boolean {
  return typeof range !== 'string' || validRange(range) === null || intersects(range, `${major}.x`);
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
  pnpm_config_manage_package_manager_versions: 'false',
  pnpm_config_package_manager_strict: 'false',
  pnpm_config_pm_on_fail: 'ignore',
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
  return program === undefined ? null : openProgram(program, directory);
}

/** Puts a program's commands first in PATH of a sandbox. Writes below a directory of the job. */
export async function openProgram(program: Program, directory: string): Promise<OpenedManager> {
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
    versions: { [program.commands[0] ?? program.module]: version },
  };
}
