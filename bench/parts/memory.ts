import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDataDirectory } from '../../cli/data/data-directory.ts';
import { brokerConfig } from '../../cli/supervision/broker-config.ts';
import { type ManagedProcess, manageProcess, type ProcessPlan } from '../../cli/supervision/managed-process.ts';
import { freePort } from '../../cli/supervision/ports.ts';
import { controlUrl, processPlans } from '../../cli/supervision/process-plans.ts';
import { provisionLocalIdentities } from '../../shared/access/local/provision.ts';
import { memoryOf, withChildren } from '../platform/processes.ts';
import type { Part } from './part.ts';

const PART = 'memory';
/** After its start a process has garbage that V8 gives back within seconds. */
const SETTLE_MS = 5_000;

/** Memory of an idle plane: every role as its own process, and all roles in one. */
export const memoryPart: Part = async (_extent, report) => {
  await withProcesses(
    ['broker', 'control', 'station', 'verifier', 'effector'],
    (plan) => plan,
    (processes) => {
      const each = processes.map(({ name, pid }) => ({ name, memory: memoryOf(withChildren(pid)) }));
      report({
        part: PART,
        what: 'all processes, idle, resident',
        value: each.reduce((sum, { memory }) => sum + memory.resident, 0),
        unit: 'MiB',
        target: { atMost: 700 },
        note: each.map(({ name, memory }) => `${name} ${Math.round(memory.resident)}`).join(', '),
      });
      report({
        part: PART,
        what: 'all processes, idle, shared pages counted once',
        value: each.reduce((sum, { memory }) => sum + memory.proportional, 0),
        unit: 'MiB',
      });
    },
  );
  await withProcesses(['broker', 'control'], allInOne, (processes) => {
    const control = processes.find(({ name }) => name === 'control');
    if (control === undefined) return;
    const { resident } = memoryOf(withChildren(control.pid));
    report({
      part: PART,
      what: 'role all in one process, idle, resident',
      value: resident,
      unit: 'MiB',
      target: { atMost: 250 },
      note: 'without the broker',
    });
  });
};

type Named = { readonly name: string; readonly pid: number };

async function withProcesses(
  names: readonly string[],
  change: (plan: ProcessPlan, plane: string, url: string) => ProcessPlan,
  look: (processes: readonly Named[]) => void,
): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), 'factory-memory-'));
  const layout = openDataDirectory(path.join(root, 'data'));
  const addresses = { controlPort: await freePort(0), brokerPort: await freePort(0) };
  const url = controlUrl(addresses);
  await provisionLocalIdentities(layout.plane, { controlUrl: url });
  writeFileSync(layout.brokerConfig, JSON.stringify(brokerConfig), { mode: 0o600 });
  const running: ManagedProcess[] = [];
  try {
    for (const plan of processPlans(layout, addresses, 'process').filter(({ name }) => names.includes(name))) {
      const managed = manageProcess(change(plan, layout.plane, url), () => {});
      running.push(managed);
      await managed.started;
    }
    await sleep(SETTLE_MS);
    look(running.map((managed) => ({ name: managed.name, pid: managed.pid() ?? 0 })));
  } finally {
    for (const managed of running.toReversed()) await managed.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Control's plan, serving every role from the host's own process. */
function allInOne(plan: ProcessPlan, plane: string, url: string): ProcessPlan {
  if (plan.name !== 'control') return plan;
  return {
    ...plan,
    arguments: [...plan.arguments, '--in-process'],
    environment: {
      ...plan.environment,
      FACTORY_ROLE: 'all',
      FACTORY_ALLOW_ALL: '1',
      FACTORY_CONTROL_URL: url,
      FACTORY_CREDENTIAL_FILE: path.join(plane, 'identity', '{role}.json'),
      FACTORY_SANDBOX: 'process',
    },
  };
}
