import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import type { OpenedToolchains } from '../../sandbox/toolchains/open-toolchains.ts';
import { openGatewayOf, SOCKET_NAME } from '../packages/gateway.ts';
import { packageLimits } from '../packages/limits.ts';
import { RegistryRefusal } from '../packages/registry.ts';
import { places, writableDirectory } from '../work/inside.ts';
import type { FetchedEnvironment } from './environment-archive.ts';
import { answerPip } from './index-gateway.ts';
import type { PythonIndex } from './python-index.ts';
import { normalName, type Requirements } from './requirement.ts';

const port = 4873;

export type Download = {
  readonly wheels: FetchedEnvironment['wheels'];
  /** Where a wheel of the list lies. */
  readonly directory: string;
  /** Every file is pinned by a digest of the repository. */
  readonly locked: boolean;
};

/**
 * Has pip choose and download wheels, in a sandbox whose only way out is the index's gateway. All that it sees is a list of
 * requirements: no file of the repository, no configuration, nothing to build. What it left is held against what the gateway gave
 * and against the repository's digests. Throws a {@link RegistryRefusal}.
 */
export async function downloadWheels(request: {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly toolchains: OpenedToolchains;
  readonly index: PythonIndex;
  readonly requirements: Requirements;
}): Promise<Download> {
  const { context, driver, toolchains, index, requirements } = request;
  const root = join(context.directory, 'python');
  await mkdir(root, { mode: 0o700 });
  const project = await writableDirectory(driver, join(root, 'project'));
  const meeting = await writableDirectory(driver, join(root, 'gateway'));
  // pip takes digests of all or of none; ours are looked at below in either case.
  const locked = requirements.wanted.every(({ sha256 }) => sha256.length > 0);
  const lines = requirements.wanted.map(
    ({ text, sha256 }) => `${text}${locked ? sha256.map((digest) => ` --hash=sha256:${digest}`).join('') : ''}`,
  );
  await give(driver, project, 'requirements.txt', lines);
  await give(driver, project, 'constraints.txt', requirements.constraints);
  const gateway = await openGatewayOf(meeting, driver.fileOwner, (asked, answer) => answerPip(index, asked, answer));
  const bridge = fileURLToPath(
    new URL(`../packages/inside/bridge${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  const script = `${places.tools}/${basename(bridge)}`;
  const pip = [
    ...[
      'python3',
      '-m',
      'pip',
      'download',
      '--only-binary',
      ':all:',
      '--no-cache-dir',
      '--progress-bar',
      'off',
      '--retries',
      '0',
    ],
    ...['--index-url', `http://127.0.0.1:${port}/simple/`, '--dest', 'wheels', '--requirement', 'requirements.txt'],
    ...['--constraint', 'constraints.txt', ...(locked ? ['--require-hashes'] : [])],
  ];
  try {
    const result = await driver.run({
      argv: ['node', script, `${places.socket}/${SOCKET_NAME}`, String(port), ...pip],
      workingDirectory: places.workspace,
      mounts: [
        { source: project, target: places.workspace, mode: 'read-write' },
        { source: meeting, target: places.socket, mode: 'read-only' },
        { source: bridge, target: script, mode: 'read-only' },
      ],
      tools: toolchains.tools,
      environment: {
        ...toolchains.environment,
        NODE_NO_WARNINGS: '1',
        PIP_NO_INDEX: '0',
        PIP_CONFIG_FILE: '/dev/null',
      },
      limits: { ...defaultSandboxLimits, wallMs: packageLimits.resolveMs },
      signal: context.signal,
    });
    if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: 'downloading packages was cancelled' });
    const refusal = gateway.refusal();
    if (refusal !== undefined) throw refusal;
    if (result.timedOut)
      throw new RegistryRefusal(
        'PACKAGES-TIMED-OUT',
        `pip did not end within ${packageLimits.resolveMs / 1000} s`,
        true,
      );
    if (result.exitCode !== 0) throw refusalOf(result.stderr, index);
  } finally {
    await gateway.close();
  }
  const directory = join(project, 'wheels');
  return { wheels: await looked(directory, index, requirements), directory, locked };
}

async function give(driver: SandboxDriver, directory: string, name: string, lines: readonly string[]): Promise<void> {
  const path = join(directory, name);
  await writeFile(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o644 });
  if (driver.fileOwner !== null) await chown(path, driver.fileOwner.uid, driver.fileOwner.gid);
}

/** The wheels that pip left, each of them exactly what the gateway gave under its name, and one of those the repository pins. */
async function looked(
  directory: string,
  index: PythonIndex,
  { wanted }: Requirements,
): Promise<FetchedEnvironment['wheels']> {
  const wheels: { file: string; sha256: string }[] = [];
  for (const file of (await readdir(directory).catch(() => [])).toSorted()) {
    const path = join(directory, file);
    const stated = index.fetched.get(file);
    const isFile = (await lstat(path)).isFile();
    const sha256 =
      stated === undefined || !isFile
        ? undefined
        : createHash('sha256')
            .update(await readFile(path))
            .digest('hex');
    if (sha256 === undefined || sha256 !== stated)
      throw new RegistryRefusal('PACKAGE-INTEGRITY', `${file.slice(0, 200)} is not what the index gave`, false);
    const name = normalName(file.split('-')[0] ?? '');
    const pinned = wanted.filter((each) => each.name === name).flatMap((each) => each.sha256);
    if (pinned.length > 0 && !pinned.includes(sha256))
      throw new RegistryRefusal(
        'PACKAGE-INTEGRITY',
        `${file} is none of the files that the repository pins for ${name}`,
        false,
      );
    wheels.push({ file, sha256 });
  }
  return wheels;
}

function refusalOf(stderr: Uint8Array, index: PythonIndex): RegistryRefusal {
  const words = pipError(stderr, index);
  return /DO NOT MATCH THE HASHES/i.test(words)
    ? new RegistryRefusal(
        'PACKAGE-INTEGRITY',
        `files of ${index.base} are not those that the repository pins: ${words}`,
        false,
      )
    : new RegistryRefusal('PACKAGES-UNRESOLVED', `pip can't have the packages: ${words}`, false);
}

/** pip's own words, and what the gateway knows better: pip is not told of source distributions. */
function pipError(stderr: Uint8Array, { without, base }: PythonIndex): string {
  const known = [...without].map(([name, what]) =>
    what === 'sources'
      ? `${name} has no wheel at ${base}, only sources, which would run code of theirs when they are built`
      : `${base} has no ${name}`,
  );
  if (known.length > 0) return known.slice(0, 5).join('; ');
  const lines = new TextDecoder().decode(stderr).split('\n');
  const errors = lines.filter((line) => line.startsWith('ERROR: ')).map((line) => line.slice('ERROR: '.length));
  return (errors.join(' ') || lines.filter((line) => line.trim() !== '').at(-1) || 'it gave no reason')
    .slice(0, 400)
    .replace(/\.+$/, '');
}
