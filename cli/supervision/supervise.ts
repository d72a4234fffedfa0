import { writeFileSync } from 'node:fs';
import { provisionLocalIdentities } from '../../shared/access/local/provision.ts';
import { openDataDirectory } from '../data/data-directory.ts';
import type { Layout } from '../data/layout.ts';
import { CommandFailure } from '../failure.ts';
import { brokerConfig } from './broker-config.ts';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import { freePort } from './ports.ts';
import { controlUrl, processPlans, type SandboxName } from './process-plans.ts';
import { removeRunning, writeRunning } from './running-file.ts';
import { takeSupervisorLock } from './supervisor-lock.ts';

/** How long the plane may take until it answers that it is ready; some seconds, and far longer on a busy machine: this is for hangs. */
const READY_LIMIT_MS = 300_000;
const READY_POLL_MS = 100;

export type Supervision = {
  readonly controlUrl: string;
  readonly layout: Layout;
  /** Ends every process, and resolves when none is left. */
  stop(): Promise<void>;
};

/** Starts every role of the plane as its own process and keeps each running. Resolves when the plane answers that it is ready. */
export async function supervise(options: {
  readonly dataDirectory: string;
  readonly port: number;
  readonly sandbox: SandboxName;
  readonly report: (line: string) => void;
  /** Aborted while it starts, everything that was started is ended again. */
  readonly signal: AbortSignal;
}): Promise<Supervision> {
  const layout = openDataDirectory(options.dataDirectory);
  const unlock = takeSupervisorLock(layout);
  const processes: ManagedProcess[] = [];
  let stopping = false;
  let ready = false;

  async function stop(): Promise<void> {
    stopping = true;
    // Workers first, so that they can still give their jobs back; the broker last.
    const [broker, control, ...workers] = processes;
    await Promise.all(workers.map((worker) => worker.stop()));
    await control?.stop();
    await broker?.stop();
    removeRunning(layout);
    unlock();
  }

  try {
    const addresses = { controlPort: await freePort(options.port), brokerPort: await freePort(0) };
    const url = controlUrl(addresses);
    const startedAt = new Date().toISOString();
    await provisionLocalIdentities(layout.plane, { controlUrl: url });
    writeFileSync(layout.brokerConfig, `${JSON.stringify(brokerConfig)}\n`, { mode: 0o600 });
    const note = (): void =>
      writeRunning(layout, {
        pid: process.pid,
        controlUrl: url,
        sandbox: options.sandbox,
        startedAt,
        ready,
        processes: processes.map((each) => ({ name: each.name, pid: each.pid() ?? null, restarts: each.restarts() })),
      });
    for (const plan of processPlans(layout, addresses, options.sandbox)) {
      const changed = (what: string): void => {
        if (stopping) return;
        options.report(what);
        setImmediate(note);
      };
      processes.push(manageProcess(plan, changed));
    }
    const starting = Promise.all(processes.map((each) => each.started)).then(() =>
      untilReady(url, layout, options.signal),
    );
    await Promise.race([starting, aborted(options.signal)]);
    ready = true;
    note();
    return { controlUrl: url, layout, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const failure = new CommandFailure('Ended before the plane was ready.');
  return new Promise((_, reject) => {
    if (signal.aborted) reject(failure);
    signal.addEventListener('abort', () => reject(failure), { once: true });
  });
}

async function untilReady(url: string, layout: Layout, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let last = 'no answer';
  while (Date.now() < deadline && !signal.aborted) {
    try {
      const answer = await fetch(`${url}/api/v1/ready`, { signal: AbortSignal.timeout(5_000) });
      if (answer.ok) return;
      last = `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new CommandFailure(
    `The plane started but did not become ready within ${READY_LIMIT_MS / 1000} s: ${last}. Its log: ${layout.log('control')}`,
  );
}
