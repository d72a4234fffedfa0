import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../../test/simulation/random.ts';
import type { StateCheck } from '../checks/state.ts';
import { type Figure, figure } from '../part.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { killByPid } from '../plane/proc.ts';
import { until } from '../wait.ts';
import { requestStates } from './requests.ts';

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

export type UnderKills = {
  readonly requests: number;
  readonly kills: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly state: StateCheck;
  /** Submits the request of this number, from 1 on. */
  readonly give: (number: number) => Promise<string>;
};

export type Killed = { readonly submitted: readonly string[]; readonly figure: Figure; readonly faults: string[] };

/** Submits requests and kills at seeded moments, so that both end together. Requests that are accepted by then run on. */
export async function runUnderKills(plane: TorturePlane, of: UnderKills): Promise<Killed> {
  const submitted: string[] = [];
  const allowed = { requests: Math.min(AHEAD, of.requests) };
  const submitting = submitAll(of, allowed, submitted);
  submitting.catch(() => undefined);
  const { kills, rounds, victims, faults } = await killAll(plane, of, allowed, submitted);
  allowed.requests = of.requests;
  await submitting;
  const each = [...victims].map(([name, count]) => `${name} ${count}`).join(', ');
  return { submitted, figure: figure('SIGKILLs', `${kills} in ${rounds} rounds: ${each}`), faults };
}

async function submitAll(of: UnderKills, allowed: { readonly requests: number }, submitted: string[]): Promise<void> {
  while (submitted.length < of.requests) {
    const number = submitted.length + 1;
    if (number > allowed.requests) await sleep(50);
    else submitted.push(await of.give(number));
  }
}

type Tally = { kills: number; rounds: number; readonly victims: Map<string, number>; readonly faults: string[] };

async function killAll(
  plane: TorturePlane,
  { requests, kills, seed, say, state }: UnderKills,
  allowed: { requests: number },
  submitted: readonly string[],
): Promise<Tally> {
  const random = seeded(seed);
  const killed: Tally = { kills: 0, rounds: 0, victims: new Map(), faults: [] };
  let told = performance.now();
  while (killed.kills < kills) {
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
    const share = Math.min(requests, Math.floor((killed.kills * requests) / kills));
    allowed.requests = Math.min(requests, AHEAD + share);
    const ended = await untilWork(plane, share - BEHIND);
    if (performance.now() - told > 10_000) {
      told = performance.now();
      say(`${killed.kills} of ${kills} kills, ${submitted.length} submitted, ${ended} ended`);
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
