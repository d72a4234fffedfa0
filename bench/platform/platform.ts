import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataDirectory } from '../../cli/data/data-directory.ts';
import type { Layout, ProcessName } from '../../cli/data/layout.ts';
import { brokerConfig } from '../../cli/supervision/broker-config.ts';
import { type ManagedProcess, manageProcess, type ProcessPlan } from '../../cli/supervision/managed-process.ts';
import { freePort } from '../../cli/supervision/ports.ts';
import { controlUrl, processPlans } from '../../cli/supervision/process-plans.ts';
import { provisionLocalIdentities } from '../../shared/access/local/provision.ts';
import { withChildren } from './processes.ts';

const WORKER = fileURLToPath(new URL('../worker/', import.meta.url));
/** Jobs at once in the worker of the measurements; as many as its host hands it messages of a pool. */
const WORKER_PLACES = 8;

export type Platform = {
  readonly url: string;
  readonly layout: Layout;
  /** Process ids by part: control's host and its app are two. */
  pids(): Readonly<Record<'broker' | 'host' | 'app' | 'worker', number | undefined>>;
  stop(): Promise<void>;
};

export type PlatformOptions = {
  /** The worker that does nothing, for every pool of station and verifier. */
  readonly worker: boolean;
  /** Directory for the CPU profile of each process, written as it ends. */
  readonly profile?: string | undefined;
};

/** The embedded platform with the product in it, each part its own process, on a new data directory. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const root = mkdtempSync(path.join(tmpdir(), 'factory-bench-'));
  const layout = openDataDirectory(path.join(root, 'data'));
  const addresses = { controlPort: await freePort(0), brokerPort: await freePort(0) };
  const url = controlUrl(addresses);
  await provisionLocalIdentities(layout.plane, { controlUrl: url });
  writeFileSync(layout.brokerConfig, JSON.stringify(brokerConfig), { mode: 0o600 });
  const plans = new Map(processPlans(layout, addresses, 'process').map((plan) => [plan.name, plan]));
  const running = new Map<ProcessName, ManagedProcess>();
  const start = async (
    name: ProcessName,
    change: (plan: ProcessPlan) => ProcessPlan = (plan) => plan,
  ): Promise<void> => {
    const plan = plans.get(name);
    if (plan === undefined) throw new Error(`the platform has no process ${name}`);
    const changed = change(plan);
    const managed = manageProcess(
      { ...changed, arguments: [...profiling(options.profile), ...changed.arguments] },
      () => {},
    );
    running.set(name, managed);
    await managed.started;
  };
  const stop = async (): Promise<void> => {
    for (const name of ['station', 'control', 'broker'] as const) await running.get(name)?.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await start('broker');
    await start('control');
    if (options.worker) await start('station', (plan) => benchWorker(plan, layout));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    layout,
    pids() {
      const host = running.get('control')?.pid();
      return {
        broker: running.get('broker')?.pid(),
        host,
        app: host === undefined ? undefined : withChildren(host)[1],
        worker: running.get('station')?.pid(),
      };
    },
    stop,
  };
}

/** The plan of a worker process, with the handlers that do nothing and every worker role's identity. */
function benchWorker(plan: ProcessPlan, layout: Layout): ProcessPlan {
  const application = plan.arguments.indexOf('--app') + 1;
  return {
    ...plan,
    arguments: plan.arguments.map((argument, index) => (index === application ? WORKER : argument)),
    environment: {
      ...plan.environment,
      FACTORY_CREDENTIAL_FILE: path.join(layout.plane, 'identity', '{role}.json'),
      FACTORY_CONCURRENCY: String(WORKER_PLACES),
    },
  };
}

function profiling(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  mkdirSync(directory, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${path.resolve(directory)}`];
}
