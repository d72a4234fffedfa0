import { ServiceBusClient } from '@azure/service-bus';
import { POOLS } from '../../../shared/domain/blueprint/schema.ts';
import { newId } from '../../../shared/domain/ids.ts';
import { type Random, seeded } from '../../../test/simulation/random.ts';
import { openStateCheck } from '../checks/state.ts';
import { checkWhole } from '../checks/whole.ts';
import { figure, type Part } from '../part.ts';
import { look, type Row } from '../plane/database.ts';
import { openPlane, type TorturePlane } from '../plane/plane.ts';
import { startApprovers } from '../traffic/approvers.ts';
import { askFirst, patchPacket } from '../traffic/packets.ts';
import { makeRemote } from '../traffic/repository.ts';
import { requestStates, submit, untilTerminal } from '../traffic/requests.ts';
import { setUp } from '../traffic/setup.ts';

const END_LIMIT_MS = 5 * 60_000;
const LATEST_MS = 5_000;
const BATCH = 20;

export const messages: Part = {
  name: 'messages',
  shows: 'hints that are doubled, stale, late, misplaced or no hints at all: the same outcome',
  async run({ directory, sizes, seed, say }) {
    const remote = makeRemote(directory);
    const plane = await openPlane({ directory });
    try {
      await plane.up();
      const application = await setUp(plane, { name: 'things', remote });
      const submitted: string[] = [];
      const approvers = startApprovers(plane);
      const stray = startStrayMessages(plane, seeded(seed), sizes.strayMessages);
      for (let number = 0; number < sizes.messageRequests; number += 1)
        submitted.push(
          await submit(
            plane,
            application,
            `messages-${number}`,
            patchPacket(`thing-${number}`, number % 2 === 0 ? askFirst : {}),
          ),
        );
      const violations: string[] = [];
      await untilTerminal(plane, submitted, END_LIMIT_MS).catch((error: Error) => violations.push(error.message));
      const sent = await stray.stop();
      say(`${sent} stray messages sent`);
      await approvers.stop();
      const ends = Map.groupBy(requestStates(plane), ({ terminal }) => terminal);
      const ready = ends.get('PR_READY')?.length ?? 0;
      if (ready !== submitted.length)
        violations.push(
          `I17 ${ready} of ${submitted.length} requests ended PR_READY, as all do without stray messages`,
        );
      const attempts = Number(look(plane.database, 'select coalesce(max(attempt), 0) as n from jobs')[0]?.['n']);
      const whole = await checkWhole(plane, {
        directory,
        places: [{ application, remote }],
        submitted,
        state: openStateCheck(plane),
      });
      return {
        figures: [figure('stray messages', sent), figure('most attempts of a job', attempts), ...whole.figures],
        violations: [...violations, ...whole.violations],
      };
    } finally {
      await plane.down();
    }
  },
};

/** Sends wrong hints among the right ones, straight to the broker, until it is told to stop or has sent them all. */
function startStrayMessages(plane: TorturePlane, random: Random, most: number): { stop(): Promise<number> } {
  const client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${plane.addresses.brokerPort};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`,
  );
  const senders = POOLS.map((pool) => client.createSender(pool));
  let stopping = false;
  let sent = 0;
  /** Held back here, since the embedded broker sends nothing later than it was told. */
  const late: { readonly due: number; readonly message: StrayMessage }[] = [];
  const running = (async (): Promise<void> => {
    while (!stopping && sent < most) {
      const jobs = look(plane.database, 'select id, pool, request_id from jobs order by random() limit 20');
      const now = performance.now();
      const batch = late.filter(({ due }) => due <= now).map(({ message }) => message);
      for (const held of late.splice(0)) if (held.due > now) late.push(held);
      for (let number = 0; number < BATCH; number += 1) {
        const message = strayMessage(random, jobs);
        if (random.chance(0.3)) late.push({ due: now + random.below(LATEST_MS), message });
        else batch.push(message);
      }
      await random.pick(senders).sendMessages(batch);
      sent += batch.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  running.catch(() => undefined);
  return {
    async stop() {
      stopping = true;
      await running;
      await client.close();
      return sent;
    },
  };
}

type StrayMessage = { readonly body: unknown; readonly messageId: string };

/** A hint of a real job (waiting, running or long done, whatever the queue it is put on), of a job that is not, or no hint. */
function strayMessage(random: Random, jobs: readonly Row[]): StrayMessage {
  const real = jobs.length === 0 ? undefined : random.pick(jobs);
  const hint = {
    v: 1,
    job: real?.['id'] ?? newId('job', 1),
    pool: real?.['pool'] ?? 'build',
    request: real?.['request_id'] ?? newId('request', 1),
  };
  const bodies: readonly unknown[] = [
    hint,
    hint,
    { ...hint, job: newId('job', 1) },
    { ...hint, v: 2 },
    { ...hint, pool: random.pick(POOLS) },
    { ...hint, extra: 'x'.repeat(1_000) },
    'no hint at all {{{',
    null,
    [],
    '',
  ];
  // Few ids, so that many messages share one.
  return { body: random.pick(bodies), messageId: `stray-${random.below(50)}` };
}
