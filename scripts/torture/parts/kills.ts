import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../../test/simulation/random.ts';
import { openStateCheck, type StateCheck } from '../checks/state.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part, type Run, seconds } from '../part.ts';
import { look } from '../plane/database.ts';
import { LEASE_MS, openPlane, type TorturePlane } from '../plane/plane.ts';
import { killByPid } from '../plane/proc.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { askFirst, patchPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { requestStates, submit, untilTerminal } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { until } from '../wait.ts';

/** Requests under way at once: enough that every kill meets work, few enough that each gets its turn. */
const AHEAD = 20;
/** How many requests the ended ones may be behind the kills. */
const BEHIND = 10;
/** Between two kills: now and then shorter than a start, so that processes also die while they start. */
const SHORTEST_MS = 200;
const LONGEST_MS = 3_000;
/** Of so many rounds one kills everything at once. */
const EVERYTHING = 12;
const WAIT_FOR_WORK_MS = 240_000;
const END_LIMIT_MS = 15 * 60_000;
const RECOVERY_LIMIT_MS = 120_000;

export const kills: Part = {
  name: 'kills',
  shows: 'SIGKILLs of random processes over requests that run: nothing lost, no effect doubled, every request ends',
  async run(run) {
    const { directory, sizes, say } = run;
    const remote = makeRemote(directory);
    const plane = await openPlane({ directory });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'things', remote });
      const submitted: string[] = [];
      const state = openStateCheck(plane);
      const allowed = { requests: Math.min(AHEAD, sizes.requests) };
      const approvers = startApprovers(plane);
      const submitting = submitAll(plane, application, sizes.requests, allowed, submitted);
      submitting.catch(() => undefined);
      const done = await killAll(plane, run, allowed, submitted, state);
      allowed.requests = sizes.requests;
      await submitting;
      const recovery = await recoverFromAll(plane, say);
      const since = performance.now();
      await untilTerminal(plane, submitted, END_LIMIT_MS).catch((error: Error) => say(error.message));
      await approvers.stop();
      const whole = await checkWhole(plane, { directory, remote, application, submitted, state });
      const restarts = plane.processes.map((kept) => `${kept.name} ${kept.restarts()}`).join(', ');
      return {
        figures: [
          figure(
            'SIGKILLs',
            `${done.kills} in ${done.rounds} rounds: ${[...done.victims].map(([name, count]) => `${name} ${count}`).join(', ')}`,
          ),
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

async function submitAll(
  plane: TorturePlane,
  application: string,
  count: number,
  allowed: { readonly requests: number },
  submitted: string[],
): Promise<void> {
  while (submitted.length < count) {
    const number = submitted.length + 1;
    if (number > allowed.requests) await sleep(50);
    else
      submitted.push(
        await submit(
          plane,
          application,
          `kills-${number}`,
          patchPacket(`thing-${number}`, number % 2 === 0 ? askFirst : {}),
        ),
      );
  }
}

type Killed = { kills: number; rounds: number; readonly victims: Map<string, number>; readonly faults: string[] };

/** Kills at seeded moments, and keeps requests on their way, so that kills and requests end together. */
async function killAll(
  plane: TorturePlane,
  { sizes, seed, say }: Run,
  allowed: { requests: number },
  submitted: readonly string[],
  state: StateCheck,
): Promise<Killed> {
  const random = seeded(seed);
  const killed: Killed = { kills: 0, rounds: 0, victims: new Map(), faults: [] };
  let told = performance.now();
  while (killed.kills < sizes.kills) {
    await sleep(SHORTEST_MS + random.below(LONGEST_MS - SHORTEST_MS));
    const everything = random.below(EVERYTHING) === 0;
    const running = plane.running();
    if (running.length === 0) continue;
    const chosen = everything ? running : [random.pick(running)];
    for (const { name } of chosen) killed.victims.set(name, (killed.victims.get(name) ?? 0) + 1);
    killed.kills += chosen.length;
    if (everything) {
      await plane.down();
      killed.faults.push(...state.check());
      for (const kept of plane.processes) kept.start();
    } else for (const { pid } of chosen) killByPid(pid);
    killed.rounds += 1;
    const share = Math.min(sizes.requests, Math.floor((killed.kills * sizes.requests) / sizes.kills));
    allowed.requests = Math.min(sizes.requests, AHEAD + share);
    const ended = await untilWork(plane, share - BEHIND);
    if (performance.now() - told > 10_000) {
      told = performance.now();
      say(`${killed.kills} of ${sizes.kills} kills, ${submitted.length} submitted, ${ended} ended`);
    }
  }
  return killed;
}

/** Waits until the requests have kept up with the kills; answers how many have ended. Without it, nothing but starting would ever be killed. */
async function untilWork(plane: TorturePlane, due: number): Promise<number> {
  return until('that requests end between kills', WAIT_FOR_WORK_MS, () => {
    const ended = requestStates(plane).filter(({ state }) => state === 'terminal').length;
    return ended >= due ? ended : undefined;
  });
}

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
