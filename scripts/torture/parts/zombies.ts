import { randomUUID } from 'node:crypto';
import type { PlaneClient } from '../../../shared/jobs/client/plane-client.ts';
import type { ClaimAnswer } from '../../../shared/jobs/protocol.ts';
import { openStateCheck } from '../checks/state.ts';
import { figure, type Part } from '../part.ts';
import { look } from '../plane/database.ts';
import { LEASE_MS, openPlane, type TorturePlane } from '../plane/plane.ts';
import { completeFanJob, endFans, FAN_POOL, fanClient, queuedFanJobs, workFan } from '../traffic/fan.ts';
import { LATE_CALLS, type LateCall, tryEverything } from '../traffic/late-calls.ts';
import { fanPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { submit } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { stopAndContinue } from '../traffic/stopped-process.ts';
import { patience } from '../traffic/worker-client.ts';
import { each, until } from '../wait.ts';

const REFUSED = '409 FACTORY-LEASE-LOST';
/** Leases that run out together; a pool leases at most 256 jobs at once. */
const BATCH = 100;
const STOPPED_AT_ONCE = 4;
const WIDTH = 8;
const LIMIT_MS = 5 * 60_000;

type Tally = { readonly refused: Map<LateCall, number>; readonly violations: string[]; trials: number };

export const zombies: Part = {
  name: 'zombies',
  shows:
    'workers that wake after their lease: every late call is refused with 409 FACTORY-LEASE-LOST and changes nothing',
  async run({ directory, sizes, say }) {
    const plane = await openPlane({ directory, only: ['broker', 'control'] });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'fans', remote: makeRemote(directory), fanOuts: [sizes.zombies] });
      const request = await submit(plane, application, 'zombies', fanPacket(sizes.zombies));
      await until('that the jobs are queued', LIMIT_MS, () =>
        queuedFanJobs(plane) === sizes.zombies ? true : undefined,
      );
      const client = await fanClient(plane);
      const tally: Tally = { refused: new Map(), violations: [], trials: 0 };
      await stoppedProcesses(plane, client, sizes.stoppedProcesses, tally);
      say(`${tally.trials} processes were stopped and continued`);
      while (tally.trials < sizes.zombies) {
        await sleepingLeases(plane, client, Math.min(BATCH, sizes.zombies - tally.trials), tally);
        say(`${tally.trials} of ${sizes.zombies} trials`);
      }
      await workFan(client, WIDTH);
      client.close();
      await endFans(plane, [request], LIMIT_MS);
      await plane.stop();
      tally.violations.push(...openStateCheck(plane).check());
      return {
        figures: [
          figure('trials', `${tally.trials}, ${sizes.stoppedProcesses} of them processes under SIGSTOP and SIGCONT`),
          figure('late calls refused', LATE_CALLS.map((name) => `${name} ${tally.refused.get(name) ?? 0}`).join(', ')),
        ],
        violations: tally.violations,
      };
    } finally {
      await plane.down();
    }
  },
};

/** What a late call could change: the jobs, what was uploaded, what was intended, what a job left. */
const snapshot = (plane: TorturePlane, jobs: ReadonlySet<string>): string =>
  JSON.stringify([
    look(plane.database, 'select * from jobs order by id').filter((row) => jobs.has(String(row['id']))),
    look(plane.database, 'select count(*) as n from uploads'),
    look(plane.database, 'select count(*) as n from effects'),
    look(plane.database, 'select count(*) as n from checkpoints'),
    look(plane.database, 'select count(*) as n from job_outputs'),
  ]);

/** Lets leases run out, gives half of the jobs to somebody else, lets that one finish a quarter, and then wakes the first owners. */
async function sleepingLeases(plane: TorturePlane, client: PlaneClient, count: number, tally: Tally): Promise<void> {
  const late: ClaimAnswer[] = [];
  for (let number = 0; number < count; number += 1) {
    const claimed = await client.claimNext(FAN_POOL, randomUUID(), patience(client));
    if (claimed !== null) late.push(claimed.claim);
  }
  if (late.length === 0) throw new Error(`${count} more trials are due and no job is left to claim`);
  await untilExpired(plane, late);
  const again: ClaimAnswer[] = [];
  await each(late.slice(0, Math.ceil(late.length / 2)), WIDTH, async ({ job }) => {
    again.push((await client.claimJob(job, randomUUID(), patience(client))).claim);
  });
  const [finished, held] = [again.slice(0, again.length / 2), again.slice(again.length / 2)];
  await each(finished, WIDTH, (claim) => completeFanJob(client, claim));
  // The leases of those that are held run on; they are looked at when nothing but the late calls has happened to them.
  const still = new Set(late.map(({ job }) => job).filter((job) => !held.some((claim) => claim.job === job)));
  const before = snapshot(plane, still);
  await each(late, WIDTH, async (claim) => tell(tally, claim, await tryEverything(client, claim)));
  if (snapshot(plane, still) !== before) tally.violations.push('I8 late calls changed something');
  await each(held, WIDTH, async (claim) => {
    // Its own lease may have run out by now; then the job is queued again, and done with the others.
    await completeFanJob(client, claim).catch(() => undefined);
  });
}

async function untilExpired(plane: TorturePlane, claims: readonly ClaimAnswer[]): Promise<void> {
  const wanted = new Set(claims.map(({ job }) => job));
  await until('that the leases run out', LEASE_MS + 60_000, () => {
    const leased = look(plane.database, "select id from jobs where state = 'leased'");
    return leased.some((row) => wanted.has(String(row['id']))) ? undefined : true;
  });
}

async function stoppedProcesses(plane: TorturePlane, client: PlaneClient, count: number, tally: Tally): Promise<void> {
  const jobs = look(
    plane.database,
    "select id from jobs where state = 'queued' and pool = ? order by id limit ?",
    FAN_POOL,
    count,
  );
  await each(jobs, STOPPED_AT_ONCE, async (row) => {
    const job = String(row['id']);
    const answers = await stopAndContinue(plane, job, async () => {
      await until(`that the lease of ${job} runs out`, LEASE_MS + 60_000, () => {
        const [now] = look(plane.database, 'select state from jobs where id = ?', job);
        return now?.['state'] === 'queued' ? true : undefined;
      });
      const { claim } = await client.claimJob(job, randomUUID(), patience(client));
      await completeFanJob(client, claim);
    });
    tell(tally, { job }, answers);
    const [now] = look(plane.database, 'select state, lease_epoch, verdict from jobs where id = ?', job);
    if (now?.['state'] !== 'completed' || now['lease_epoch'] !== 2 || now['verdict'] !== 'fetched')
      tally.violations.push(`I8 job ${job} was changed by a late call: ${JSON.stringify(now)}`);
  });
}

function tell(tally: Tally, of: { readonly job: string }, answers: Readonly<Record<LateCall, string>>): void {
  tally.trials += 1;
  for (const name of LATE_CALLS) {
    if (answers[name] === REFUSED) tally.refused.set(name, (tally.refused.get(name) ?? 0) + 1);
    else tally.violations.push(`I8 a late ${name} of job ${of.job} was answered ${answers[name]}`);
  }
}
