import { openStateCheck } from '../checks/state.ts';
import { figure, type Part, seconds } from '../part.ts';
import { openPlane, type TorturePlane } from '../plane/plane.ts';
import { residentMiB } from '../plane/proc.ts';
import { endFans, fanClient, queuedFanJobs, workFan } from '../traffic/fan.ts';
import { fanPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { submit } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { until } from '../wait.ts';

const WIDTH = 8;
const LIMIT_MS = 10 * 60_000;
/** Time a job may grow by so much from the smallest to the largest fan-out: more is no longer linear. */
const RATIO = 3;
const WARM_UP = 20;

export const fanOut: Part = {
  name: 'fan-out',
  shows: 'fan-outs of growing width: time and memory a job stay the same',
  async run({ directory, sizes, say }) {
    const plane = await openPlane({
      directory,
      only: ['broker', 'control'],
      environment: { FACTORY_LEASE_SECONDS: '60' },
    });
    try {
      await plane.up();
      const fanOuts = [WARM_UP, ...sizes.fanOuts];
      const application = await setUp(plane, { name: 'fans', remote: makeRemote(directory), fanOuts });
      // The first one pays for what is compiled and opened once.
      await measure(plane, application, WARM_UP);
      const measured = [];
      for (const count of sizes.fanOuts) {
        const one = await measure(plane, application, count);
        say(`${count} jobs in ${seconds(one.milliseconds)}`);
        measured.push(one);
      }
      const perJob = measured.map((one) => one.milliseconds / one.count);
      const ratio = (perJob.at(-1) ?? 0) / (perJob[0] ?? 1);
      const violations =
        ratio > RATIO
          ? [`a job of the widest fan-out takes ${ratio.toFixed(1)} times as long as one of the narrowest`]
          : [];
      await plane.stop();
      violations.push(...openStateCheck(plane).check());
      return {
        figures: [
          ...measured.map((one) =>
            figure(
              `${one.count} jobs`,
              `${seconds(one.milliseconds)}, ${(one.milliseconds / one.count).toFixed(1)} ms a job, control app ${one.before} → ${one.most} MiB`,
            ),
          ),
          figure(`time a job, widest : narrowest`, `${ratio.toFixed(2)} (at most ${RATIO})`),
        ],
        violations,
      };
    } finally {
      await plane.down();
    }
  },
};

type Measured = {
  readonly count: number;
  readonly milliseconds: number;
  readonly before: number;
  readonly most: number;
};

/** From submission until the request has ended, with the most memory that control's app had on the way. */
async function measure(plane: TorturePlane, application: string, count: number): Promise<Measured> {
  const memory = (): number => residentMiB(plane.running().find(({ name }) => name === 'control app')?.pid ?? 0);
  const before = memory();
  let most = before;
  const watching = setInterval(() => {
    most = Math.max(most, memory());
  }, 250);
  const client = await fanClient(plane);
  try {
    const since = performance.now();
    const request = await submit(plane, application, `fan-${count}`, fanPacket(count));
    await until('that the jobs are queued', LIMIT_MS, () => (queuedFanJobs(plane) === count ? true : undefined), 10);
    await workFan(client, WIDTH);
    await endFans(plane, [request], LIMIT_MS);
    return { count, milliseconds: performance.now() - since, before, most };
  } finally {
    clearInterval(watching);
    client.close();
  }
}
