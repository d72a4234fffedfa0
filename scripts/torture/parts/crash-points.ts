import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessName } from '../../../cli/data/layout.ts';
import { CRASH_POINTS, type CrashPoint } from '../../../shared/telemetry/crash-point.ts';
import { seeded } from '../../../test/simulation/random.ts';
import { openStateCheck } from '../checks/state.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part, type Run } from '../part.ts';
import { openPlane, type TorturePlane } from '../plane/plane.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { openDeployments } from '../traffic/deployments.ts';
import { askFirst, patchPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { requestStates, submit, untilTerminal } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { until } from '../wait.ts';

const DEATH_LIMIT_MS = 90_000;
const END_LIMIT_MS = 180_000;
/** Control commits while it starts and with every sweep; the first few commits are not all there is. */
const COMMITS = 12;

export const crashPoints: Part = {
  name: 'crash-points',
  shows: 'a death at each named crash point while requests run: the same as without it',
  async run(run) {
    const { directory, say } = run;
    const remote = makeRemote(directory);
    const deployments = await openDeployments(directory);
    const plane = await openPlane({ directory, environment: deployments.environment });
    const state = openStateCheck(plane);
    const submitted: string[] = [];
    const deployed: string[] = [];
    const violations: string[] = [];
    let reached = 0;
    const points = CRASH_POINTS.filter(
      // No traffic opens an incarnation; test/seal dies at those points.
      (point) => !point.startsWith('incarnation.') && (run.sizes.crashPoints?.includes(point) ?? true),
    );
    try {
      if (points.length === 0) throw new Error('none of the crash points that were asked for exists');
      await plane.up();
      const application = await setUp(plane, { name: 'things', remote });
      const gone = await setUp(plane, { name: 'gone', remote: path.join(directory, 'nowhere.git') });
      await deployments.begin(plane);
      const approvers = startApprovers(plane);
      for (const point of points) {
        const died = await dieAt(plane, run, point, async (key, number) => {
          if (deploys(point)) {
            deployed.push(await deployments.give(plane, key));
            return;
          }
          // A repository that is not there is what makes a worker fail.
          const one = point.startsWith('worker.fail')
            ? submit(plane, gone, key, patchPacket(key))
            : submit(plane, application, key, patchPacket(key, number % 2 === 0 ? askFirst : {}));
          submitted.push(await one);
        });
        if (died) reached += 1;
        else violations.push(`crash point ${point} was not passed within ${DEATH_LIMIT_MS / 1_000} s`);
        // Each death by itself: three of them on the same job would rightly spend its attempts.
        await untilTerminal(plane, [...submitted, ...deployed], END_LIMIT_MS).catch((error: Error) =>
          violations.push(error.message),
        );
        say(`${point}: ${died ? 'died there' : 'not reached'}, ${submitted.length + deployed.length} requests so far`);
      }
      await approvers.stop();
      const failing = points.filter((point) => point.startsWith('worker.fail')).length * run.sizes.perCrashPoint;
      const ready = requestStates(plane).filter(({ terminal }) => terminal === 'PR_READY').length;
      const wanted = submitted.length + deployed.length - failing;
      if (ready !== wanted)
        violations.push(`${ready} of ${wanted} requests ended PR_READY, as each would without the one death in it`);
      violations.push(...deployments.faults(deployed));
      const all = [...submitted, ...deployed];
      const whole = await checkWhole(plane, {
        directory,
        places: [{ application, remote }],
        submitted: all,
        state,
      });
      return {
        figures: [figure('crash points died at', `${reached} of ${points.length}`), ...whole.figures],
        violations: [...violations, ...whole.violations],
      };
    } finally {
      await plane.down();
      await deployments.close();
    }
  },
};

const deploys = (point: CrashPoint): boolean => point.startsWith('effect.deployment.');

/** Starts the process that passes this point with it armed, gives it work until it has died there, and starts it again as it was. */
async function dieAt(
  plane: TorturePlane,
  { directory, sizes, seed }: Run,
  point: CrashPoint,
  give: (key: string, number: number) => Promise<void>,
): Promise<boolean> {
  const log = path.join(directory, `${point}.log`);
  const victim = plane.process(processOf(point));
  const time = point.startsWith('store.commit') ? 1 + seeded(seed).below(COMMITS) : 1;
  await victim.down();
  victim.arm({ FACTORY_CRASH_AT: `${point}#${time}`, FACTORY_CRASH_LOG: log });
  victim.start();
  const giving = (async (): Promise<void> => {
    for (let number = 0; number < (deploys(point) ? 1 : sizes.perCrashPoint); number += 1)
      await give(`${point.replaceAll(/[._]/g, '-')}-${number}`, number);
  })();
  giving.catch(() => undefined);
  const died = await until(`a death at ${point}`, DEATH_LIMIT_MS, () =>
    deaths(log, point) > 0 ? true : undefined,
  ).then(
    () => true,
    () => false,
  );
  // What died may have been the host's child: the host would start it armed again.
  await victim.down();
  victim.start();
  await giving;
  return died;
}

const deaths = (log: string, point: CrashPoint): number =>
  existsSync(log)
    ? readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${point} `)).length
    : 0;

/** Which process passes a point: workers their own, control the rest. A worker's failure here is the effector's, which fetches. */
function processOf(point: CrashPoint): ProcessName {
  if (point.startsWith('effect.') || point.startsWith('worker.fail')) return 'effector';
  return point.startsWith('worker.') ? 'station' : 'control';
}
