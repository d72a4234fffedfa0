import { openStateCheck } from '../checks/state.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part, seconds } from '../part.ts';
import { look } from '../plane/database.ts';
import { LEASE_MS, openPlane, type TorturePlane } from '../plane/plane.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { askFirst, patchPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { submit, untilTerminal } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { runUnderKills } from '../traffic/under-kills.ts';
import { until } from '../wait.ts';

const END_LIMIT_MS = 15 * 60_000;
const RECOVERY_LIMIT_MS = 120_000;

export const kills: Part = {
  name: 'kills',
  shows: 'SIGKILLs of random processes over requests that run: nothing lost, no effect doubled, every request ends',
  async run({ directory, sizes, seed, say }) {
    const remote = makeRemote(directory);
    const plane = await openPlane({ directory });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'things', remote });
      const state = openStateCheck(plane);
      const approvers = startApprovers(plane);
      const done = await runUnderKills(plane, {
        ...{ requests: sizes.requests, kills: sizes.kills, seed, say, state },
        give: (number) => submit(plane, application, `kills-${number}`, packetOf(number)),
      });
      const { submitted } = done;
      const recovery = await recoverFromAll(plane, say);
      const since = performance.now();
      await untilTerminal(plane, submitted, END_LIMIT_MS).catch((error: Error) => say(error.message));
      await approvers.stop();
      const whole = await checkWhole(plane, { directory, places: [{ application, remote }], submitted, state });
      const restarts = plane.processes.map((kept) => `${kept.name} ${kept.restarts()}`).join(', ');
      return {
        figures: [
          done.figure,
          figure('started again', restarts),
          figure('approvals decided', approvers.decisions()),
          ...whole.figures,
          figure('recovery after the last kill', `${recovery} (lease + 5 s is ${seconds(LEASE_MS + 5_000)})`),
          figure('last request ended after', seconds(performance.now() - since)),
        ],
        violations: [...done.faults, ...whole.violations],
      };
    } finally {
      await plane.down();
    }
  },
};

const packetOf = (number: number): Record<string, unknown> =>
  patchPacket(`thing-${number}`, number % 2 === 0 ? askFirst : {});

/** Kills everything once more, while jobs are leased where possible, and measures until none of those leases is left. */
async function recoverFromAll(plane: TorturePlane, say: (line: string) => void): Promise<string> {
  const leased = (): Map<string, number> =>
    new Map(
      look(plane.database, "select id, lease_epoch from jobs where state = 'leased'").map((row) => [
        String(row['id']),
        Number(row['lease_epoch']),
      ]),
    );
  const held = await until('that a job is leased', 10_000, () => (leased().size > 0 ? true : undefined), 20).then(
    () => true,
    () => false,
  );
  if (!held) return 'not measured: no job was leased';
  await plane.down();
  const before = leased();
  const since = performance.now();
  say(`killed everything for the last time, ${before.size} jobs leased`);
  for (const kept of plane.processes) kept.start();
  await until('that the leases of dead workers are left behind', RECOVERY_LIMIT_MS, () => {
    const now = leased();
    return [...before].every(([id, epoch]) => now.get(id) !== epoch) ? true : undefined;
  });
  return `${seconds(performance.now() - since)} for ${before.size} leases`;
}
