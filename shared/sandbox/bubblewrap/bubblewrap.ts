import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findControlGroup } from '../control-group/find.ts';
import { type ControlGroup, makeControlGroup, sweepControlGroups } from '../control-group/group.ts';
import type { Mount, ProbeResult, SandboxDriver, SandboxHandle, SandboxRun } from '../driver.ts';
import { resolveMounts, toolMounts } from '../mounts.ts';
import { type NodeRuntime, nodeRuntime } from '../node-runtime.ts';
import { SandboxRefusal } from '../refusal.ts';
import { isAlive, processStatus, processTree } from '../running/processes.ts';
import { spawnClosed } from '../running/spawn.ts';
import { requireRunnable, supervise } from '../running/supervise.ts';
import { accountFiles, bubblewrapArguments, bubblewrapPath, descriptors, type PlacedMount } from './arguments.ts';
import { probeBubblewrap } from './probe.ts';
import { seccompFilter } from './seccomp.ts';
import { sandboxOwner, stageMounts } from './staging.ts';
import { followStatus, type SandboxStatus } from './status.ts';

/**
 * The isolating driver: namespaces, an allow-list of binds, no network, no capabilities, limits from the kernel. Works as root
 * and as an ordinary user; {@link SandboxDriver.probe} says what is missing where it does not.
 */
export function bubblewrapDriver(): SandboxDriver {
  const node = nodeRuntime();
  const groups = findControlGroup();
  if (groups.usable) sweepControlGroups(groups.directory, (pid) => processStatus(pid) !== null);
  const fileOwner = process.getuid?.() === 0 ? sandboxOwner : null;
  let probed: Promise<ProbeResult> | undefined;
  const start = async (run: SandboxRun): Promise<SandboxHandle> => {
    requireRunnable(run);
    const mounts = resolveMounts(run.mounts, fileOwner);
    return startSandbox(run, node, mounts, groups.usable ? makeControlGroup(groups.directory, run.limits) : undefined);
  };
  const run = async (program: SandboxRun) => (await start(program)).exited;
  return {
    kind: 'bubblewrap',
    isolation: 'isolated',
    fileOwner,
    start,
    run,
    probe: () => {
      probed ??= probeBubblewrap(run, groups.usable ? 'cgroup' : 'rlimit');
      return probed;
    },
  };
}

async function startSandbox(
  run: SandboxRun,
  node: NodeRuntime,
  mounts: readonly Mount[],
  group: ControlGroup | undefined,
): Promise<SandboxHandle> {
  const placed: PlacedMount[] = [
    ...node.mounts.map(({ source, target }) => ({ from: source, target, mode: 'read-only' as const })),
    ...toolMounts(run.tools).map(({ source, target }) => ({ from: source, target, mode: 'read-only' as const })),
    ...mounts.map(({ source, target, mode }) => ({ from: source, target, mode })),
  ];
  const command = (at: readonly PlacedMount[]) => [bubblewrapPath, ...bubblewrapArguments(run, at, node)];
  const [file = bubblewrapPath, ...args] = command(placed);
  const program = process.getuid?.() === 0 ? stageMounts(placed, command) : { file, arguments: args };
  const [joining = program.file, ...joined] = group?.joined([program.file, ...program.arguments]) ?? [];
  const child = spawnClosed({
    ...(group === undefined ? program : { file: joining, arguments: joined }),
    // The staging script looks its tools up; the program's own environment is set by --setenv.
    environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    workingDirectory: '/',
    extraPipes: 5,
    ownProcessGroup: true,
  });
  const status = followStatus(pipe(child, descriptors.status) as Readable);
  send(child, descriptors.passwd, accountFiles.passwd);
  send(child, descriptors.group, accountFiles.group);
  send(child, descriptors.hosts, accountFiles.hosts);
  send(child, descriptors.seccomp, seccompFilter());

  const handle = supervise({
    child,
    run,
    kill: () => killSandbox(child, status),
    members: () => (status.init === null ? [] : processTree(status.init.pid).slice(1)),
    ...(group === undefined ? {} : { ranOutOfMemory: group.ranOutOfMemory }),
    gone: async (result) => {
      await initGone(status);
      if (status.exitCode === null && result.endedBy === 'itself' && child.signalCode === null) {
        const said = new TextDecoder().decode(result.stderr).trim().slice(-500);
        throw new SandboxRefusal('SANDBOX-SETUP-FAILED', `the sandbox was not set up, so nothing ran: ${said}`);
      }
    },
  });
  if (group === undefined) return handle;
  const exited = handle.exited.finally(() => group.remove());
  exited.catch(() => undefined);
  return { ...handle, exited, stop: () => handle.stop().then(() => exited) };
}

/** Ends the first process of the pid namespace, and with it, by the kernel, every other; then bubblewrap outside. */
function killSandbox(child: ChildProcess, { init }: SandboxStatus): void {
  if (init !== null && isAlive(init.pid, init.startedAt)) process.kill(init.pid, 'SIGKILL');
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

// The kernel reports the first process of a pid namespace as ended only after all others have (pid_namespaces(7)).
async function initGone({ init }: SandboxStatus): Promise<void> {
  if (init === null) return;
  for (let waited = 0; isAlive(init.pid, init.startedAt); waited++) {
    if (waited === 2000)
      throw new SandboxRefusal(
        'SANDBOX-SETUP-FAILED',
        `process ${init.pid} outlived SIGKILL by 10 s; look for a hung file system`,
      );
    await sleep(5);
  }
}

function send(child: ChildProcess, descriptor: number, content: string | Uint8Array): void {
  const writable = pipe(child, descriptor) as Writable;
  // bubblewrap that ended early did not read it; its exit says why.
  writable.on('error', () => undefined);
  writable.end(content);
}

function pipe(child: ChildProcess, descriptor: number): Readable | Writable {
  const stream = child.stdio[descriptor];
  if (stream === null || stream === undefined) throw new TypeError(`descriptor ${descriptor} is not a pipe`);
  return stream;
}
