import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import { places, writableDirectory } from '../work/inside.ts';
import { openGateway, SOCKET_NAME } from './gateway.ts';
import { packageLimits } from './limits.ts';
import {
  DEPENDENCY_KINDS,
  type DependencyKind,
  isFault,
  type Manifest,
  readLockfile,
  usualTarballPath,
} from './lockfile.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

const port = 4873;
const saveFlags: Readonly<Record<DependencyKind, string>> = {
  dependencies: '--save-prod',
  devDependencies: '--save-dev',
  optionalDependencies: '--save-optional',
  peerDependencies: '--save-peer',
};

export type Target = { readonly manifest: string; readonly lockfile: string };

/**
 * Asks npm, in a sandbox whose only way out is the registry gateway, for the manifest and lockfile with a package moved into a
 * range. A directory with these two files is all it sees: no `.npmrc`, no script, no other file of the repository. A package
 * that others depend on is moved as far as their ranges let it; the caller looks at what came of it.
 */
export async function resolveTarget(request: {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly registry: Registry;
  readonly manifest: Manifest;
  readonly lockfile: string;
  readonly packageName: string;
  readonly range: string;
}): Promise<Target> {
  const { context, driver, registry, manifest, lockfile, packageName, range } = request;
  if (driver.isolation === 'none') throw new TaskFailure(noIsolation);
  const root = join(context.directory, 'resolve');
  await mkdir(root, { mode: 0o700 });
  const project = await writableDirectory(driver, join(root, 'project'));
  const meeting = await writableDirectory(driver, join(root, 'gateway'));
  for (const [name, text] of [
    ['package.json', manifest.text],
    ['package-lock.json', lockfile],
  ] as const) {
    await writeFile(join(project, name), text, { mode: 0o644 });
    if (driver.fileOwner !== null) await chown(join(project, name), driver.fileOwner.uid, driver.fileOwner.gid);
  }
  const gateway = await openGateway(meeting, driver.fileOwner, registry);
  const bridge = fileURLToPath(new URL(`./inside/bridge${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const script = `${places.tools}/${basename(bridge)}`;
  try {
    const result = await driver.run({
      argv: ['node', script, `${places.socket}/${SOCKET_NAME}`, String(port), 'npm', ...npmArguments(request)],
      workingDirectory: places.workspace,
      mounts: [
        { source: project, target: places.workspace, mode: 'read-write' },
        { source: meeting, target: places.socket, mode: 'read-only' },
        { source: bridge, target: script, mode: 'read-only' },
      ],
      environment: {
        NODE_NO_WARNINGS: '1',
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_cache: '/tmp/npm-cache',
        npm_config_userconfig: '/dev/null',
        npm_config_globalconfig: '/tmp/no-npmrc',
      },
      limits: { ...defaultSandboxLimits, wallMs: packageLimits.resolveMs },
      signal: context.signal,
    });
    if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: 'resolving the package was cancelled' });
    const refusal = gateway.refusal();
    if (refusal !== undefined) throw refusal;
    if (result.timedOut)
      throw new RegistryRefusal(
        'PACKAGES-TIMED-OUT',
        `npm did not resolve ${packageName} within ${packageLimits.resolveMs / 1000} s`,
        true,
      );
    if (result.exitCode !== 0)
      throw new RegistryRefusal(
        'PACKAGES-UNRESOLVED',
        `npm can't move ${packageName} into ${range}: ${npmError(result.stderr)}`,
        false,
      );
    return {
      manifest: await readBounded(join(project, 'package.json')),
      lockfile: withAddresses(await readBounded(join(project, 'package-lock.json')), lockfile, registry),
    };
  } finally {
    await gateway.close();
  }
}

/**
 * The new lockfile with the addresses that the old one would have had: those of the one registry it names, if it is one. Packages
 * come from the configured registry, which may be a mirror that nobody outside can reach; it has no place in somebody's repository.
 */
function withAddresses(lockfile: string, before: string, registry: Registry): string {
  const home = addressBase(before) ?? registry.base;
  // By the gateway's address where the registry names none of its own.
  return [`http://127.0.0.1:${port}/`, registry.base].reduce(
    (text, base) => text.replaceAll(`"resolved": "${base}`, `"resolved": "${home}`),
    lockfile,
  );
}

function addressBase(lockfile: string): string | undefined {
  const locked = readLockfile(lockfile);
  if (isFault(locked)) return undefined;
  const bases = new Set(
    locked.flatMap(({ name, version, resolved }) => {
      if (resolved === undefined) return [];
      const usual = usualTarballPath(name, version);
      return [resolved.endsWith(`/${usual}`) ? resolved.slice(0, -usual.length) : resolved];
    }),
  );
  const [base] = bases;
  return bases.size === 1 && base?.endsWith('/') === true ? base : undefined;
}

function npmArguments({
  manifest,
  lockfile,
  packageName,
  range,
}: {
  readonly manifest: Manifest;
  readonly lockfile: string;
  readonly packageName: string;
  readonly range: string;
}): string[] {
  // A repository that keeps addresses out of its lockfile keeps them out.
  const omits = !lockfile.includes('"resolved"');
  const quiet = [
    '--package-lock-only',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    `--omit-lockfile-registry-resolved=${omits}`,
  ];
  const kind = DEPENDENCY_KINDS.find((candidate) => manifest.dependencies[candidate][packageName] !== undefined);
  return kind === undefined
    ? ['update', packageName, ...quiet]
    : ['install', `${packageName}@${range}`, saveFlags[kind], ...quiet];
}

async function readBounded(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  if (text.length > packageLimits.lockfileBytes)
    throw new RegistryRefusal(
      'PACKAGES-TOO-LARGE',
      `${basename(path)} grew past ${packageLimits.lockfileBytes} bytes`,
      false,
    );
  return text;
}

function npmError(stderr: Uint8Array): string {
  const lines = new TextDecoder()
    .decode(stderr)
    .split('\n')
    .filter((line) => line.startsWith('npm error') && !line.includes('complete log'));
  return (
    lines
      .map((line) => line.slice('npm error '.length))
      .join(' ')
      .slice(0, 600)
      .replace(/\.+$/, '') || 'it gave no reason'
  );
}

const noIsolation = {
  kind: 'needs_human',
  code: 'SANDBOX-UNAVAILABLE',
  question:
    'Resolving packages needs a sandbox with a network namespace of its own, which this worker does not have. Run the packages worker where bubblewrap works?',
} as const;
