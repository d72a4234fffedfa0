import { randomUUID } from 'node:crypto';
import { openStateCheck } from '../checks/state.ts';
import { figure, type Part, seconds } from '../part.ts';
import { look } from '../plane/database.ts';
import { openPlane } from '../plane/plane.ts';
import { completeFanJob, endFans, FAN_POOL, fanClient, queuedFanJobs } from '../traffic/fan.ts';
import { fanPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { submit } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';
import { patience } from '../traffic/worker-client.ts';
import { until } from '../wait.ts';

/** No lease may run out while the others claim, or a second winner would be a rightful one. */
const LEASE_SECONDS = 300;
const LIMIT_MS = 5 * 60_000;

export const claims: Part = {
  name: 'claims',
  shows: 'many claimers over HTTP on the jobs of one fan-out: one winner each',
  async run({ directory, sizes, say }) {
    const plane = await openPlane({
      directory,
      only: ['broker', 'control'],
      environment: { FACTORY_LEASE_SECONDS: String(LEASE_SECONDS) },
    });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'fans', remote: makeRemote(directory), fanOuts: [sizes.claims] });
      const request = await submit(plane, application, 'claims', fanPacket(sizes.claims));
      await until('that every job is queued', LIMIT_MS, () =>
        queuedFanJobs(plane) === sizes.claims ? true : undefined,
      );
      const client = await fanClient(plane);
      const won: { claimer: number; claim: Awaited<ReturnType<typeof client.claimJob>>['claim'] }[] = [];
      const since = performance.now();
      const claimer = async (number: number): Promise<void> => {
        for (;;) {
          const claimed = await client.claimNext(FAN_POOL, randomUUID(), patience(client));
          if (claimed === null) return;
          won.push({ claimer: number, claim: claimed.claim });
          // A pool leases only so many jobs at once: what was won is done, so that the others can be.
          await completeFanJob(client, claimed.claim);
        }
      };
      await Promise.all(Array.from({ length: sizes.claimers }, (_, number) => claimer(number)));
      const took = performance.now() - since;
      say(`${won.length} claims answered`);
      const winners = Map.groupBy(won, ({ claim }) => claim.job);
      const tokens = new Set(won.map(({ claim }) => claim.leaseToken));
      const rows = look(plane.database, 'select id, state, lease_epoch from jobs where pool = ?', FAN_POOL);
      const violations = [
        ...[...winners]
          .filter(([, all]) => all.length > 1)
          .map(([job, all]) => `I7 job ${job} has ${all.length} winners`),
        ...rows.filter((row) => !winners.has(String(row['id']))).map((row) => `I5 job ${row['id']} has no winner`),
        ...rows
          .filter((row) => row['lease_epoch'] !== 1)
          .map((row) => `I7 job ${row['id']} was leased ${row['lease_epoch']} times`),
        ...(tokens.size === won.length ? [] : [`I7 ${won.length} claims share ${tokens.size} lease tokens`]),
      ];
      client.close();
      await endFans(plane, [request], LIMIT_MS);
      await plane.stop();
      violations.push(...openStateCheck(plane).check());
      return {
        figures: [
          figure('claimers, jobs', `${sizes.claimers}, ${rows.length}`),
          figure('jobs with one winner', [...winners.values()].filter((all) => all.length === 1).length),
          figure('claimers that won some', new Set(won.map((one) => one.claimer)).size),
          figure('claiming and completing', `${seconds(took)}, ${Math.round((won.length * 1_000) / took)} a second`),
        ],
        violations,
      };
    } finally {
      await plane.down();
    }
  },
};
