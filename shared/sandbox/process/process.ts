import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PROGRAM } from '../../domain/program.ts';
import type { ProbeResult, SandboxDriver, SandboxHandle, SandboxRun } from '../driver.ts';
import { defaultSandboxLimits } from '../limits.ts';
import { parseVersions, versionScript } from '../probe-versions.ts';
import { SandboxRefusal } from '../refusal.ts';
import { limitCommand } from '../running/limit-command.ts';
import { processesMarked, processTree } from '../running/processes.ts';
import { spawnClosed } from '../running/spawn.ts';
import { requireRunnable, supervise } from '../running/supervise.ts';
import { removeTree } from '../workspace/remove-tree.ts';

/**
 * The driver without isolation, for deterministic stations on repositories that an application marks as its own. Limits, a
 * cleared environment and a private HOME keep honest tools apart; nothing keeps a dishonest one in. Policy decides, so the caller
 * has to say that it knows. Mounts must have equal source and target, as there is no other file system to put them in.
 */
export function processDriver(acknowledgement: { readonly acknowledgedNoIsolation: true }): SandboxDriver {
  if (acknowledgement.acknowledgedNoIsolation !== true) {
    throw new SandboxRefusal(
      'SANDBOX-NOT-ACKNOWLEDGED',
      'the process driver isolates nothing; use bubblewrap, or let policy acknowledge it',
    );
  }
  let probed: Promise<ProbeResult> | undefined;
  const run = async (program: SandboxRun) => startProgram(program).exited;
  return {
    kind: 'process',
    isolation: 'none',
    fileOwner: null,
    start: async (program) => startProgram(program),
    run,
    probe: () => {
      probed ??= probe(run);
      return probed;
    },
  };
}

function startProgram(run: SandboxRun): SandboxHandle {
  requireRunnable(run);
  for (const { source, target } of run.mounts) {
    if (source !== target)
      throw new SandboxRefusal('SANDBOX-MOUNT-REFUSED', `without isolation ${source} can only appear where it is`, {
        path: target,
      });
  }
  const home = mkdtempSync(join(tmpdir(), 'factory-home-'));
  // Found again in /proc by this, when a program left its process group (setsid): an honest daemon keeps its environment.
  const mark = `FACTORY_SANDBOX=${randomBytes(12).toString('hex')}`;
  const [file = '', ...args] = limitCommand(run.limits, run.argv);
  const child = spawnClosed({
    file,
    arguments: args,
    environment: {
      PATH: [...(run.tools?.path ?? []), dirname(process.execPath), '/usr/local/bin:/usr/bin:/bin'].join(':'),
      HOME: home,
      TMPDIR: home,
      LANG: 'C.UTF-8',
      ...run.environment,
      FACTORY_SANDBOX: mark.slice(mark.indexOf('=') + 1),
    },
    workingDirectory: run.workingDirectory,
    extraPipes: 0,
    ownProcessGroup: true,
  });
  const kill = (): void => {
    if (child.pid !== undefined) endProcess(-child.pid);
    for (const pid of processesMarked(mark)) endProcess(pid);
  };
  const handle = supervise({
    child,
    run,
    kill,
    members: () => (child.pid === undefined ? [] : processTree(child.pid)),
    gone: async () => kill(),
  });
  const exited = handle.exited.finally(() => removeTree(home));
  exited.catch(() => undefined);
  return { ...handle, exited, stop: () => handle.stop().then(() => exited) };
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function probe(
  run: (run: SandboxRun) => Promise<{ stdout: Uint8Array; exitCode: number | null }>,
): Promise<ProbeResult> {
  try {
    const result = await run({
      argv: ['/bin/sh', '-c', versionScript],
      workingDirectory: tmpdir(),
      mounts: [],
      environment: {},
      limits: { ...defaultSandboxLimits, wallMs: 20_000 },
    });
    if (result.exitCode !== 0)
      return { usable: false, kind: 'process', reason: `a trial run ended with ${result.exitCode ?? 'a signal'}` };
    const versions = parseVersions(new TextDecoder().decode(result.stdout));
    // This driver is a part of the program itself.
    const identity = {
      kind: 'process',
      isolation: 'none',
      limits: 'rlimit',
      versions: { ...versions, process: PROGRAM.version },
    } as const;
    return { usable: true, identity };
  } catch (error) {
    return { usable: false, kind: 'process', reason: error instanceof Error ? error.message : String(error) };
  }
}
