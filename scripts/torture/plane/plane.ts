import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PlaneApi } from '../../../cli/api/plane-api.ts';
import { openDataDirectory } from '../../../cli/data/data-directory.ts';
import type { Layout, ProcessName } from '../../../cli/data/layout.ts';
import { brokerConfig } from '../../../cli/supervision/broker-config.ts';
import { freePort } from '../../../cli/supervision/ports.ts';
import { type Addresses, controlUrl, processPlans } from '../../../cli/supervision/process-plans.ts';
import { provisionLocalIdentities } from '../../../shared/access/local/provision.ts';
import { PRICES } from '../../../test/simulation/prices.ts';
import { until } from '../wait.ts';
import { type KeptProcess, keepProcess } from './kept-process.ts';
import { openPatientApi } from './patient-api.ts';
import { childrenOf } from './proc.ts';

const READY_LIMIT_MS = 90_000;
/** Short, so that what a dead worker held is soon someone else's. */
export const LEASE_MS = 3_000;

export type TorturePlane = {
  readonly layout: Layout;
  readonly url: string;
  readonly addresses: Addresses;
  /** The plane's own database, for looking at. */
  readonly database: string;
  readonly processes: readonly KeptProcess[];
  process(name: ProcessName): KeptProcess;
  /** What runs right now: each process, and the app of control, a child of its host. */
  running(): { readonly name: ProcessName | 'control app'; readonly pid: number }[];
  as(identity: string): Promise<PlaneApi>;
  /** Starts what does not run, and waits until control says it is ready. */
  up(): Promise<void>;
  untilReady(): Promise<void>;
  /** SIGKILL for everything, and nothing is started again. */
  down(): Promise<void>;
  /** Ends everything in order. */
  stop(): Promise<void>;
};

/** A plane in a data directory of its own, each role its own process. Nothing is started yet. */
export async function openPlane(of: {
  readonly directory: string;
  /** Which processes there are; all of them when absent. */
  readonly only?: readonly ProcessName[];
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<TorturePlane> {
  const layout = openDataDirectory(path.join(of.directory, 'data'));
  const addresses = { controlPort: await freePort(0), brokerPort: await freePort(0) };
  const url = controlUrl(addresses);
  await provisionLocalIdentities(layout.plane, { controlUrl: url });
  writeFileSync(layout.brokerConfig, `${JSON.stringify(brokerConfig)}\n`, { mode: 0o600 });
  const environment = {
    FACTORY_LEASE_SECONDS: String(LEASE_MS / 1_000),
    FACTORY_HINT_SECONDS: '5',
    FACTORY_PRICES: PRICES,
    ...of.environment,
  };
  const processes = processPlans(layout, addresses, 'bubblewrap')
    .filter((plan) => of.only?.includes(plan.name) ?? true)
    .map((plan) => keepProcess({ ...plan, environment: { ...plan.environment, ...environment } }));
  const apis = new Map<string, Promise<PlaneApi>>();

  const untilReady = async (): Promise<void> => {
    await until('that the plane is ready', READY_LIMIT_MS, async () => {
      const answer = await fetch(`${url}/api/v1/ready`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    });
  };
  const named = (name: ProcessName): KeptProcess => {
    const found = processes.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`this plane has no process ${name}`);
    return found;
  };
  return {
    layout,
    url,
    addresses,
    database: path.join(layout.plane, 'plane.sqlite'),
    processes,
    process: named,
    running() {
      const found = processes.flatMap(({ name, pid }) => {
        const id = pid();
        if (id === undefined) return [];
        const app = name === 'control' ? childrenOf(id)[0] : undefined;
        return app === undefined
          ? [{ name, pid: id }]
          : [
              { name, pid: id },
              { name: 'control app' as const, pid: app },
            ];
      });
      return found;
    },
    as(identity) {
      const known = apis.get(identity) ?? openPatientApi({ data: layout.root, as: identity });
      apis.set(identity, known);
      return known;
    },
    async up() {
      for (const kept of processes) kept.start();
      await untilReady();
    },
    untilReady,
    async down() {
      await Promise.all(processes.map((kept) => kept.down()));
    },
    async stop() {
      const first = processes.filter(({ name }) => name !== 'broker' && name !== 'control');
      await Promise.all(first.map((kept) => kept.stop()));
      for (const name of ['control', 'broker'] as const) await processes.find((kept) => kept.name === name)?.stop();
    },
  };
}
