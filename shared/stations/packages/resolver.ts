import { chown, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { RunTools, SandboxDriver } from '../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import { removeTree } from '../../sandbox/workspace/remove-tree.ts';
import { places, writableDirectory } from '../work/inside.ts';
import { openGateway, SOCKET_NAME } from './gateway.ts';
import { packageLimits } from './limits.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

const port = 4873;

/** The registry's address as a package manager in the sandbox sees it. */
export const gatewayAddress = `http://127.0.0.1:${port}/`;

/** One package manager at work on manifests and a lockfile, in a sandbox whose only way out is the registry gateway. */
export type Resolver = {
  write(files: ReadonlyMap<string, string>): Promise<void>;
  /** Runs it to its end; `problem` is what it said when it failed. Throws what the registry refused. */
  run(argv: readonly [string, ...string[]]): Promise<{ readonly problem: string | null }>;
  /** A file as it left it; undefined where there is none. */
  read(path: string): Promise<string | undefined>;
};

export type ResolverOptions = {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly registry: Registry;
  readonly variables: Readonly<Record<string, string>>;
  readonly tools?: RunTools | undefined;
  /** What the manager's cache (`places.cache`) is begun with, by path below it. */
  readonly cached?: ReadonlyMap<string, string>;
};

/**
 * Opens a resolver for the time of a work. It sees the files that it is given and nothing else of the repository: no `.npmrc`, no
 * script, no plug-in. What the manager keeps from one run to the next lies on disk, bounded by `packageLimits.resolveBytes`, and goes
 * with the work.
 */
export async function withResolver<T>(options: ResolverOptions, work: (resolver: Resolver) => Promise<T>): Promise<T> {
  const { context, driver, registry } = options;
  if (driver.isolation === 'none') throw new TaskFailure(noIsolation);
  const root = await mkdtemp(join(context.directory, 'resolve-'));
  const project = await writableDirectory(driver, join(root, 'project'));
  const meeting = await writableDirectory(driver, join(root, 'gateway'));
  const cache = await writableDirectory(driver, join(root, 'cache'));
  await writeAll(driver, cache, options.cached ?? new Map());
  const gateway = await openGateway(meeting, driver.fileOwner, registry);
  try {
    return await work({
      write: (files) => writeAll(driver, project, files),
      read: (path) => readBounded(join(project, path)),
      run: async (argv) => {
        const result = await runInside(options, { project, meeting, cache }, argv);
        const refusal = gateway.refusal();
        if (refusal !== undefined) throw refusal;
        return result;
      },
    });
  } finally {
    await gateway.close();
    await removeTree(cache);
  }
}

type Directories = { readonly project: string; readonly meeting: string; readonly cache: string };

async function runInside(
  { context, driver, variables, tools }: ResolverOptions,
  { project, meeting, cache }: Directories,
  argv: readonly [string, ...string[]],
): Promise<{ readonly problem: string | null }> {
  const bridge = fileURLToPath(new URL(`./inside/bridge${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const script = `${places.tools}/${basename(bridge)}`;
  const result = await driver.run({
    argv: ['node', script, `${places.socket}/${SOCKET_NAME}`, String(port), ...argv],
    workingDirectory: places.workspace,
    mounts: [
      { source: project, target: places.workspace, mode: 'read-write' },
      { source: meeting, target: places.socket, mode: 'read-only' },
      { source: bridge, target: script, mode: 'read-only' },
      { source: cache, target: places.cache, mode: 'read-write' },
    ],
    tools,
    environment: { NODE_NO_WARNINGS: '1', CI: '1', ...variables },
    limits: { ...defaultSandboxLimits, wallMs: packageLimits.resolveMs, diskBytes: packageLimits.resolveBytes },
    signal: context.signal,
  });
  if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: 'resolving the packages was cancelled' });
  if (result.timedOut)
    throw new RegistryRefusal(
      'PACKAGES-TIMED-OUT',
      `${basename(argv[0])} did not resolve the packages within ${packageLimits.resolveMs / 1000} s`,
      true,
    );
  if (result.endedBy === 'disk')
    throw new RegistryRefusal(
      'PACKAGES-FILLED-DISK',
      `${basename(argv[0])} was killed because it kept more than ${mebibytes(packageLimits.resolveBytes)} on disk, or the disk of this worker is nearly full`,
      true,
    );
  if (result.exitCode === 0) return { problem: null };
  if (result.endedBy === 'memory')
    return {
      problem: `it was killed because it used more than ${mebibytes(defaultSandboxLimits.memoryBytes)} of memory`,
    };
  return { problem: problemIn(result.stderr, result.stdout) };
}

const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`;

async function writeAll(driver: SandboxDriver, project: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    let folder = project;
    for (const part of dirname(path).split('/')) {
      if (part === '.') continue;
      folder = join(folder, part);
      await mkdir(folder, { mode: 0o755 }).catch(existing);
      if (driver.fileOwner !== null) await chown(folder, driver.fileOwner.uid, driver.fileOwner.gid);
    }
    const at = join(project, path);
    await writeFile(at, text, { mode: 0o644 });
    if (driver.fileOwner !== null) await chown(at, driver.fileOwner.uid, driver.fileOwner.gid);
  }
}

function existing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

async function readBounded(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (text.length <= packageLimits.lockfileBytes) return text;
  throw new RegistryRefusal(
    'PACKAGES-TOO-LARGE',
    `${basename(path)} grew past ${packageLimits.lockfileBytes} bytes`,
    false,
  );
}

/** The lines that say why, of npm's, pnpm's or yarn's output. */
function problemIn(stderr: Uint8Array, stdout: Uint8Array): string {
  const lines = [stderr, stdout].flatMap((bytes) => new TextDecoder().decode(bytes).split('\n'));
  const told = lines.flatMap((line) => {
    const [, said] = /^(?:npm error|\s*ERR_|error|.*YN\d{4}:) ?(.*)$/.exec(line) ?? [];
    return said === undefined || said.includes('complete log') || said.trim() === ''
      ? []
      : [line.replace(/^npm error ?/, '').trim()];
  });
  const shown =
    told.length > 0
      ? told
      : lines
          .map((line) => line.trim())
          .filter((line) => line !== '')
          .slice(-5);
  return shown.join(' ').slice(0, 600).replace(/\.+$/, '') || 'it gave no reason';
}

const noIsolation = {
  kind: 'needs_human',
  code: 'SANDBOX-UNAVAILABLE',
  question:
    'Resolving packages needs a sandbox with a network namespace of its own, which this worker does not have. Run the packages worker where bubblewrap works?',
} as const;
