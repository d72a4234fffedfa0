import { setTimeout as sleep } from 'node:timers/promises';
import { readKeys } from '../../../cli/request/evidence-file.ts';
import { seeded } from '../../../test/simulation/random.ts';
import { checkAudit, checkEvidence, keptAnchors } from '../checks/record.ts';
import { openStateCheck } from '../checks/state.ts';
import { exchangeSignature, tamperWith } from '../checks/tampering.ts';
import { figure, type Part } from '../part.ts';
import { look } from '../plane/database.ts';
import { openPlane, type TorturePlane } from '../plane/plane.ts';
import { killByPid } from '../plane/proc.ts';
import { endFans, fanClient, workFan } from '../traffic/fan.ts';
import { fanPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { submit } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';

/** Jobs of one request; each is audited at least when it is claimed and when it is completed. */
const FAN = 50;
const TOGETHER = 8;
const WIDTH = 12;
const LIMIT_MS = 10 * 60_000;
const BETWEEN_KILLS_MS = 1_500;

export const audit: Part = {
  name: 'audit',
  shows: 'honest events of concurrent requests, with kills in between, verify; each kind of tampering is found',
  async run({ directory, sizes, seed, say }) {
    const plane = await openPlane({ directory, only: ['broker', 'control'] });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'fans', remote: makeRemote(directory), fanOuts: [FAN] });
      const events = (): number =>
        Number(
          look(plane.database, 'select count(*) as n from audit_events where stream = ?', application)[0]?.['n'] ?? 0,
        );
      const killing = killNowAndThen(plane, seed, sizes.auditKills, () => events() / sizes.auditEvents);
      const client = await fanClient(plane);
      let requests = 0;
      const deadline = performance.now() + LIMIT_MS;
      while (events() < sizes.auditEvents || requests < 2) {
        if (performance.now() > deadline) throw new Error(`${events()} events were written in ${LIMIT_MS / 1_000} s`);
        const some = await Promise.all(
          Array.from({ length: TOGETHER }, (_, index) =>
            submit(plane, application, `audit-${requests + index}`, fanPacket(FAN)),
          ),
        );
        requests += some.length;
        await Promise.all([workUntilEnded(plane, client, some), endFans(plane, some, LIMIT_MS)]);
        say(`${events()} of ${sizes.auditEvents} events`);
      }
      client.close();
      const killed = await killing.stop();
      await plane.up();
      const keys = await readKeys(await plane.as('auditor'));
      const honest = await checkAudit(plane, application, directory);
      const evidence = await checkEvidence(plane);
      const { caught, missed } = await tamperWith(honest.file, {
        keys,
        anchors: keptAnchors(plane, keys, new Set([application])),
      });
      const forged = exchangeSignature(evidence.bundles[0] ?? '{}', evidence.bundles[1] ?? '{}', keys);
      (forged ? caught : missed).push('signature of another bundle');
      await plane.stop();
      return {
        figures: [
          figure(
            'honest events verified',
            `${honest.events} (${honest.anchored} anchored) of ${requests} requests, ${killed} kills in between`,
          ),
          figure('evidence bundles verified', evidence.verified),
          figure('tampering found', caught.join(', ')),
        ],
        violations: [
          ...honest.faults,
          ...evidence.faults,
          ...missed.map((name) => `I20 tampering was not found: ${name}`),
          ...openStateCheck(plane).check(),
        ],
      };
    } finally {
      await plane.down();
    }
  },
};

async function workUntilEnded(
  plane: TorturePlane,
  client: Awaited<ReturnType<typeof fanClient>>,
  requests: readonly string[],
): Promise<void> {
  const wanted = new Set(requests);
  for (;;) {
    await workFan(client, WIDTH);
    const open = look(
      plane.database,
      "select request_id from jobs where state in ('queued', 'leased') and pool = 'fetch'",
    );
    if (!open.some((row) => wanted.has(String(row['request_id'])))) return;
    // What is left is leased to a claim whose answer was lost with its process: it comes back when the lease runs out.
    await sleep(200);
  }
}

/** Kills the broker, the host or its app, spread over the run. */
function killNowAndThen(
  plane: TorturePlane,
  seed: number,
  most: number,
  progress: () => number,
): { stop(): Promise<number> } {
  const random = seeded(seed);
  let stopping = false;
  let killed = 0;
  const running = (async (): Promise<void> => {
    while (!stopping && killed < most) {
      await sleep(BETWEEN_KILLS_MS);
      const alive = plane.running();
      if (alive.length === 0 || progress() < killed / most) continue;
      killByPid(random.pick(alive).pid);
      killed += 1;
    }
  })();
  running.catch(() => undefined);
  return {
    async stop() {
      stopping = true;
      await running;
      return killed;
    },
  };
}
