import { servePackages } from '../../../examples/serve-packages.ts';
import { untilDrained } from '../checks/standing.ts';
import { openStateCheck } from '../checks/state.ts';
import { startWaitingCheck } from '../checks/waiting.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part } from '../part.ts';
import { look } from '../plane/database.ts';
import { openPlane, type TorturePlane } from '../plane/plane.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { startBusyLoops } from '../traffic/busy.ts';
import { setUpExamples } from '../traffic/examples.ts';
import { untilTerminal } from '../traffic/requests.ts';
import { runUnderKills } from '../traffic/under-kills.ts';

const END_LIMIT_MS = 30 * 60_000;
const BUSY_LIMIT_MS = 60 * 60_000;
/** Longer than elsewhere: with every core taken, a worker that lives may come to renew seconds late. */
const LEASE_SECONDS = 10;
/** What a request may end as besides, since it says so itself: its workers were killed more often than its line allows. */
const GIVEN_UP = 'RETRYABLE_FAILURE LEASE-EXPIRED';

export const example: Part = {
  name: 'example',
  shows: "the examples' requests under SIGKILLs while every core is busy: each ends as it has to, and no queue is left",
  async run({ directory, sizes, seed, say }) {
    const registry = await servePackages('address-labels');
    const environment = { FACTORY_NPM_REGISTRY: registry.url, FACTORY_LEASE_SECONDS: String(LEASE_SECONDS) };
    const plane = await openPlane({ directory, environment });
    const busy = startBusyLoops(BUSY_LIMIT_MS);
    try {
      await plane.up();
      const { places, give, ends } = await setUpExamples(plane, directory);
      const state = openStateCheck(plane);
      const [approvers, waiting] = [startApprovers(plane), startWaitingCheck(plane)];
      const done = await runUnderKills(plane, {
        ...{ requests: sizes.exampleRequests, kills: sizes.exampleKills, seed, say, state, give },
      });
      say(`${sizes.exampleKills} kills done`);
      await untilTerminal(plane, done.submitted, END_LIMIT_MS).catch((error: Error) => say(error.message));
      await approvers.stop();
      const told = await waiting.stop();
      const ended = compareEnds(plane, ends);
      const standing = await untilDrained(plane);
      const whole = await checkWhole(plane, { directory, places, submitted: done.submitted, state });
      return {
        figures: [
          figure('busy loops', busy.cores),
          done.figure,
          figure('started again', plane.processes.map((kept) => `${kept.name} ${kept.restarts()}`).join(', ')),
          figure('ended as they have to', `${ended.right} of ${ends.size}, ${ended.givenUp} given up`),
          figure('waited and said for what', `${told.jobs} jobs, ${told.approvals} approvals`),
          figure('left standing', standing.size === 0 ? 'nothing' : [...standing].map(inWords).join(', ')),
          ...whole.figures,
        ],
        violations: [
          ...done.faults,
          ...told.faults,
          ...ended.faults,
          ...[...standing].map((one) => `left standing: ${inWords(one)}`),
          ...whole.violations,
        ],
      };
    } finally {
      await busy.stop();
      await plane.down();
      await registry.close();
    }
  },
};

const inWords = ([name, count]: readonly [string, number]): string => `${count} ${name}`;

function compareEnds(
  plane: TorturePlane,
  expected: ReadonlyMap<string, string>,
): { readonly right: number; readonly givenUp: number; readonly faults: string[] } {
  const rows = look(
    plane.database,
    "select id, terminal_state || coalesce(' ' || (conclusion ->> 'code'), '') as ended from requests where state = 'terminal'",
  );
  const ended = new Map(rows.map((row) => [String(row['id']), String(row['ended'])]));
  const others = [...expected].filter(([id, end]) => ended.get(id) !== end);
  const wrong = others.filter(([id]) => ended.get(id) !== GIVEN_UP);
  return {
    right: expected.size - others.length,
    givenUp: others.length - wrong.length,
    faults: wrong.map(([id, end]) => `${id} ended ${ended.get(id) ?? 'not at all'}, and has to end ${end}`),
  };
}
