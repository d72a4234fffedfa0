import { spawnSync } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxHandle } from '../../shared/sandbox/driver.ts';
import { SandboxRefusal } from '../../shared/sandbox/refusal.ts';
import { limitCommand } from '../../shared/sandbox/running/limit-command.ts';
import { processesOf } from '../../shared/sandbox/running/processes.ts';
import { spawnClosed } from '../../shared/sandbox/running/spawn.ts';
import { requireRunnable, supervise } from '../../shared/sandbox/running/supervise.ts';
import type { RunOrder } from '../../shared/sandbox/sessions/protocol.ts';

/** Ids without an account, and not those of the agent: the program can neither end the agent, nor read it, nor answer in its place. */
export const programOwner = { uid: 64_251, gid: 64_251 } as const;

const home = '/home/factory';
const setpriv = '/usr/bin/setpriv';
const ids = [`--reuid=${programOwner.uid}`, `--regid=${programOwner.gid}`, '--clear-groups'];

/** Starts the ordered program under its limits, as a user of its own without any privilege. @throws SandboxRefusal */
export async function startProgram(order: RunOrder, stdin: Buffer): Promise<SandboxHandle> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  await chown(home, programOwner.uid, programOwner.gid);
  const [program = '', ...args] = order.argv;
  const run = {
    argv: [program, ...args] as const,
    workingDirectory: order.workingDirectory,
    // The watch over the disk looks at them where they are.
    mounts: order.mounts.map(({ target, mode }) => ({ source: target, target, mode })),
    environment: order.environment,
    limits: order.limits,
    stdin,
  };
  requireRunnable(run);
  const child = spawnClosed({
    file: setpriv,
    arguments: [
      ...['--pdeathsig', 'KILL', ...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
      ...limitCommand(run.limits, run.argv),
    ],
    environment: {
      PATH: [...new Set([dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
      HOME: home,
      TMPDIR: '/tmp',
      LANG: 'C.UTF-8',
      ...run.environment,
    },
    workingDirectory: run.workingDirectory,
    extraPipes: 0,
    ownProcessGroup: true,
  });
  return supervise({
    child,
    run,
    kill: () => {
      // Before setpriv gave up its ids the program is not among those that the next line ends.
      child.kill('SIGKILL');
      killAll();
    },
    members: () => processesOf(programOwner.uid),
    gone: allGone,
  });
}

/** kill(-1) is one sweep in the kernel over every process that the sender may end: nothing slips through it by forking. */
function killAll(): void {
  spawnSync(setpriv, [...ids, '--', '/bin/sh', '-c', 'kill -KILL -1'], { stdio: 'ignore' });
}

async function allGone(): Promise<void> {
  for (let waited = 0; processesOf(programOwner.uid).length > 0; waited++) {
    if (waited === 1_000)
      throw new SandboxRefusal('SANDBOX-SETUP-FAILED', 'processes of the program outlived SIGKILL by 10 s');
    killAll();
    await sleep(10);
  }
}
