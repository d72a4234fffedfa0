import { existsSync, rmSync } from 'node:fs';
import { readManagement } from '../../../local/functions-host/admin/management-file.ts';
import { openStateCheck } from '../checks/state.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part } from '../part.ts';
import { look } from '../plane/database.ts';
import { openPlane } from '../plane/plane.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { askFirst, patchPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { requestStates, submit, untilTerminal } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { until } from '../wait.ts';

const END_LIMIT_MS = 5 * 60_000;
/** Gates ask anew after so long without an answer: that is what an orchestrator wakes up for, and how its absence is noticed. */
const GATE_EXPIRY_MS = 20_000;
const HEAL_LIMIT_MS = 120_000;
/** So many wait for nobody but their orchestrator when the hub is lost. */
const GATES_OPEN = 3;
/** Instances a request that are looked at, at most. */
const RUNS_LOOKED_AT = 5;
/** Some requests have a deadline and nobody who approves: only an orchestrator, or who replaces it, ends those. */
const DEADLINE_MS = 75_000;
const SHARE_WITH_DEADLINE = 4;

export const hub: Part = {
  name: 'hub',
  shows: 'the task hub is lost while requests wait at gates, are queued and are leased: every one of them ends',
  async run({ directory, sizes, say }) {
    const remote = makeRemote(directory);
    const plane = await openPlane({ directory });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'things', remote, gateExpiryMs: GATE_EXPIRY_MS });
      const submitted: string[] = [];
      const overdue = new Set<string>();
      for (let number = 0; number < sizes.hubRequests; number += 1) {
        const left = number % SHARE_WITH_DEADLINE === 0;
        const deadline = left ? { deadline: new Date(Date.now() + DEADLINE_MS).toISOString() } : {};
        const id = await submit(
          plane,
          application,
          `hub-${number}`,
          patchPacket(`thing-${number}`, { ...askFirst, ...deadline }),
        );
        submitted.push(id);
        if (left) overdue.add(id);
      }
      await until(
        'that requests wait at gates and jobs are leased',
        120_000,
        () => {
          const { gates, leased } = standing(plane.database);
          return gates >= GATES_OPEN && leased >= 1 ? true : undefined;
        },
        10,
      );
      await plane.down();
      const at = standing(plane.database);
      const lost = plane.layout.host('control');
      if (!existsSync(lost)) throw new Error(`there is no task hub at ${lost}`);
      rmSync(lost, { recursive: true });
      const open = requestStates(plane).filter(({ state }) => state !== 'terminal');
      say(`removed the task hub under ${open.length} open requests`);
      await plane.up();
      const violations: string[] = [];
      const without = (): Promise<string[]> => withoutOrchestrator(lost, open);
      await until(
        'I18 that every request has an orchestrator again',
        HEAL_LIMIT_MS,
        async () => ((await without()).length === 0 ? true : undefined),
        200,
      ).catch(async (error: Error) => violations.push(`${error.message}: ${(await without()).join(', ')}`));
      await untilTerminal(plane, [...overdue], DEADLINE_MS + END_LIMIT_MS).catch((error: Error) =>
        violations.push(error.message),
      );
      const approvers = startApprovers(plane);
      await untilTerminal(plane, submitted, END_LIMIT_MS).catch((error: Error) => violations.push(error.message));
      await approvers.stop();
      const healed = open.length - (await without()).length;
      const reruns = requestStates(plane).filter(({ run }) => run > 1).length;
      const whole = await checkWhole(plane, {
        directory,
        places: [{ application, remote }],
        submitted,
        state: openStateCheck(plane),
      });
      return {
        figures: [
          figure(
            'lost under',
            `${open.length} open requests: ${at.gates} gates open, ${at.queued} jobs queued, ${at.leased} leased`,
          ),
          figure('orchestrators back', `${healed} of ${open.length}, ${reruns} of them as another run by the sweep`),
          ...whole.figures,
        ],
        violations: [...violations, ...whole.violations],
      };
    } finally {
      await plane.down();
    }
  },
};

/**
 * Those that no instance in the new hub belongs to. One is started by a nudge that finds none, or by the sweep as another run.
 * Asked of the host's management API: its database file is locked while it runs.
 */
async function withoutOrchestrator(host: string, open: readonly { readonly id: string }[]): Promise<string[]> {
  const { url, key } = readManagement(host);
  const healed = new Set<string>();
  const answer = await fetch(`${url}/runtime/webhooks/durabletask/instances?top=${open.length * RUNS_LOOKED_AT}`, {
    headers: { 'x-functions-key': key },
    signal: AbortSignal.timeout(5_000),
  });
  for (const { instanceId } of (await answer.json()) as { instanceId: string }[])
    healed.add(instanceId.slice(0, instanceId.lastIndexOf('.')));
  return open.map(({ id }) => id).filter((id) => !healed.has(id));
}

function standing(database: string): { gates: number; queued: number; leased: number } {
  const [row] = look(
    database,
    `select (select count(*) from approvals where state = 'open' and request_id is not null) as gates,
       (select count(*) from jobs where state = 'queued') as queued,
       (select count(*) from jobs where state = 'leased') as leased`,
  );
  return { gates: Number(row?.['gates']), queued: Number(row?.['queued']), leased: Number(row?.['leased']) };
}
