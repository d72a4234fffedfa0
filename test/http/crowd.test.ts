import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROUTES } from '../../functions/control/http/routes.ts';
import { VITAL_ROUTES } from '../../shared/http/vital.ts';
import { claimNext, complete, expectStatus, installBench, lease, submit } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';

/** A limit of what hangs, not of what is slow. */
const LIMIT = 240_000;
const CROWD = 1_000;
let control: ControlProcess;
let application: string;

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
}, LIMIT);
afterAll(() => control.stop());

/** Connections that sent half of a body, with this for credentials. */
async function halfOpen(route: string, authorization: string): Promise<() => void> {
  const sockets = await Promise.all(
    Array.from({ length: CROWD }, async () => {
      const socket = connect(Number(new URL(control.url).port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket
        .resume()
        .write(
          `POST ${route} HTTP/1.1\r\nhost: x\r\n${authorization}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":`,
        );
      return socket;
    }),
  );
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

test(
  '1,000 half-open bodies and 1,000 waits leave health, claims and renewals answering, and the request ends',
  async () => {
    const { id } = expectStatus(await submit(control, application, 'crowd'), 202);
    const bearer = await control.token('requester');
    const endStrangers = await halfOpen('/api/v1/requests', '');
    const ended = new AbortController();
    const waits = Array.from({ length: CROWD }, () =>
      fetch(`${control.url}/api/v1/requests/${id}`, {
        signal: ended.signal,
        headers: { authorization: `Bearer ${bearer}`, prefer: 'wait=30; until=terminal' },
      }).then(
        (answer) => answer.arrayBuffer(),
        () => undefined,
      ),
    );
    const endKnown = await halfOpen('/api/v1/jobs/job_x/renew', `authorization: Bearer ${bearer}\r\n`);
    const work = async (as: string, pool: string, facts: Record<string, unknown>): Promise<void> => {
      expectStatus(await control.call('GET', '/health'), 200);
      const claim = await claimNext(control, as, pool, `crowd-${pool}`);
      const route = `/jobs/${claim['job']}/renew`;
      expectStatus(await control.call('POST', route, { as, headers: lease(claim), json: {} }), 200);
      expectStatus(await complete(control, as, claim, { verdict: 'ok', ...facts }), 200);
    };
    await work('station', 'plan', { facts: { paths: ['src/a.js'], pathCount: 1 } });
    const approval = await openApproval(String(id));
    const decision = { decision: 'approve', subject: approval['subject'], reason: 'seen' };
    expectStatus(
      await control.call('POST', `/approvals/${approval['id']}/decisions`, { as: 'approver', json: decision }),
      200,
    );
    await work('station', 'build', {});
    await work('verifier', 'verify', {});
    await until(async () => String((await read(String(id)))['state']) === 'terminal');
    ended.abort();
    await Promise.all(waits);
    endStrangers();
    endKnown();
  },
  LIMIT,
);

const read = async (id: string): Promise<Json> =>
  expectStatus(await control.call('GET', `/requests/${id}`, { as: 'operator' }), 200);

async function openApproval(id: string): Promise<Json> {
  let waiting: Json | undefined;
  await until(async () => {
    waiting = (await read(id))['waitingFor']?.[0];
    return waiting !== undefined;
  });
  return expectStatus(await control.call('GET', `/approvals/${waiting?.['approval']}`, { as: 'approver' }), 200);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    expect(tries).toBeLessThan(600);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('every vital route is a route', () => {
  const names = ROUTES.map(({ name }) => name);
  for (const vital of VITAL_ROUTES) expect(names).toContain(vital);
});
