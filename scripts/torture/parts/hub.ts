import { existsSync, rmSync } from 'node:fs';
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
const RERUN_LIMIT_MS = 120_000;
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
        'that requests wait at gates, queued and leased',
        120_000,
        () => {
          const { gates, queued, leased } = standing(plane.database);
          return gates >= 1 && queued + leased >= 1 && leased >= 1 ? true : undefined;
        },
        10,
      );
      await plane.down();
      const at = standing(plane.database);
      const lost = plane.layout.host('control');
      if (!existsSync(lost)) throw new Error(`there is no task hub at ${lost}`);
      rmSync(lost, { recursive: true });
      const open = requestStates(plane).filter(({ state }) => state !== 'terminal').length;
      say(`removed the task hub under ${open} open requests`);
      await plane.up();
      const violations: string[] = [];
      const rerun = (): number => requestStates(plane).filter(({ run }) => run > 1).length;
      await until(
        'I18 that a request gets another run',
        RERUN_LIMIT_MS,
        () => (rerun() > 0 ? true : undefined),
        200,
      ).catch((error: Error) => violations.push(error.message));
      await untilTerminal(plane, [...overdue], DEADLINE_MS + END_LIMIT_MS).catch((error: Error) =>
        violations.push(error.message),
      );
      const approvers = startApprovers(plane);
      await untilTerminal(plane, submitted, END_LIMIT_MS).catch((error: Error) => violations.push(error.message));
      await approvers.stop();
      const reruns = rerun();
      const whole = await checkWhole(plane, {
        directory,
        remote,
        application,
        submitted,
        state: openStateCheck(plane),
      });
      return {
        figures: [
          figure(
            'lost under',
            `${open} open requests: ${at.gates} gates open, ${at.queued} jobs queued, ${at.leased} leased`,
          ),
          figure('requests that got another run', reruns),
          ...whole.figures,
        ],
        violations: [...violations, ...whole.violations],
      };
    } finally {
      await plane.down();
    }
  },
};

function standing(database: string): { gates: number; queued: number; leased: number } {
  const [row] = look(
    database,
    `select (select count(*) from approvals where state = 'open' and request_id is not null) as gates,
       (select count(*) from jobs where state = 'queued') as queued,
       (select count(*) from jobs where state = 'leased') as leased`,
  );
  return { gates: Number(row?.['gates']), queued: Number(row?.['queued']), leased: Number(row?.['leased']) };
}
