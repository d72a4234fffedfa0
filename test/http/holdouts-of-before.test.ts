import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releasedPlane } from '../store/released.ts';
import { claimNext, expectStatus, lease } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';
import { everyWay, itemsOf } from './hidden-line.ts';

/**
 * A data directory of the release before, whose declarations hold their scenarios and whose installed policy is of then: control takes them out when it
 * starts, open requests go on, and the old bytes are nobody's any more.
 */
const WORDS = ['domestic.cents === 774', 'europe.cents', 'FACTORY_SOCKET'];
const NAME = 'quotes-over-the-socket';
const IDENTITIES = [
  'requester',
  'other-requester',
  'approver',
  'security-approver',
  'operator',
  'policy-owner',
  'auditor',
  'station',
  'verifier',
  'effector',
];

let control: ControlProcess;
let unpacked: string;
let before: ReturnType<typeof recordsIn>;
let after: ReturnType<typeof recordsIn>;

const recordsIn = (directory: string) => {
  const database = new DatabaseSync(path.join(directory, 'plane.sqlite'), { readOnly: true });
  const all = (sql: string) => database.prepare(sql).all() as Readonly<Record<string, string>>[];
  const found = {
    application: all('select * from applications')[0]!,
    requests: all('select * from requests order by id'),
    artifacts: all('select * from artifacts'),
    receipts: all(`select distinct digest from job_outputs where kind = 'receipt'`),
  };
  database.close();
  return found;
};
const recorded = (sql: string) => {
  const database = new DatabaseSync(path.join(control.dataDirectory, 'plane.sqlite'), { readOnly: true });
  const found = database.prepare(sql).all() as Readonly<Record<string, string | number>>[];
  database.close();
  return found;
};

beforeAll(async () => {
  unpacked = mkdtempSync(path.join(tmpdir(), 'released-'));
  const released = releasedPlane(3, unpacked);
  before = recordsIn(released);
  control = await startControl({}, released);
  await control.token('requester');
  expect((await control.call('GET', '/health')).status).toBe(200);
  expect((await control.call('GET', '/applications', { as: 'operator' })).status).toBe(200);
  after = recordsIn(control.dataDirectory);
});
afterAll(async () => {
  await control.stop();
  rmSync(unpacked, { recursive: true, force: true });
});

test('the application and its open request are of the declaration without scenarios; ended ones keep what they had', () => {
  const [old, now] = [before.application['declaration_digest'], after.application['declaration_digest']];
  expect(now).not.toBe(old);
  const pinned = (found: typeof after) => found.requests.map((row) => [row['state'], row['declaration_digest']]);
  expect(pinned(before)).toEqual([
    ['terminal', old],
    ['terminal', old],
    ['running', old],
  ]);
  expect(pinned(after)).toEqual([
    ['terminal', old],
    ['terminal', old],
    ['running', now],
  ]);
  expect(recorded('select digest, replaced_by from declaration_replacements where replaced_by is not null')).toEqual([
    { digest: old, replaced_by: now },
  ]);
  const events = recorded(`select bytes from audit_events where command_id like '%:holdouts'`);
  expect(events).toHaveLength(1);
  expect(JSON.parse(String(events[0]!['bytes']))).toMatchObject({
    action: 'declaration.holdouts_taken_out',
    digests: { before: old, declaration: now },
  });
});

test('the old bytes are gone: neither key nor object is there', async () => {
  const old = before.application['declaration_digest'];
  const object = before.artifacts.find(({ digest }) => digest === old)!['object_id']!;
  expect(after.artifacts.find(({ digest }) => digest === old)).toMatchObject({
    wrapped_key: '',
    closed_at: expect.any(Number),
  });
  expect(readdirSync(path.join(control.dataDirectory, 'artifacts'), { recursive: true }).join()).not.toContain(object);
  const answer = await control.call('GET', `/artifacts/${old}`, { as: 'auditor' });
  expect([answer.status, String(answer.json['code'])]).toEqual([410, 'FACTORY-ARTIFACT-CLOSED']);
});

test('by every identity, digest and way to bytes, nothing of a scenario is read', async () => {
  const readable = after.requests[0]!['packet_digest']!;
  const reached = [];
  const secret = [
    before.application['declaration_digest'],
    ...recorded('select digest from holdout_sets').map(({ digest }) => digest),
  ];
  for (const as of IDENTITIES)
    for (const { digest = '' } of after.artifacts) {
      const ways = secret.includes(digest)
        ? await everyWay(control, as, digest, readable)
        : [await control.call('GET', `/artifacts/${digest}`, { as })];
      if (ways.some(({ text }) => WORDS.some((word) => text.includes(word)))) reached.push([as, digest]);
    }
  expect(reached).toEqual([]);
  // Receipts of then name scenarios and the digests and sizes of their runs.
  for (const { digest } of before.receipts)
    for (const as of IDENTITIES) {
      const { text } = await control.call('GET', `/artifacts/${digest}`, { as });
      expect(text, `${as} ${digest}`).not.toContain(NAME);
    }
});

test('the open request goes on: approved, its effector gets the declaration without scenarios', async () => {
  const open = after.requests[2]!['id'];
  const approvals = itemsOf(await control.call('GET', '/approvals', { as: 'approver' }));
  const waiting = approvals.find(({ request, state }) => String(request) === open && String(state) === 'open');
  const approval = expectStatus(await control.call('GET', `/approvals/${waiting?.['id']}`, { as: 'approver' }), 200);
  expect(approval['checks']).toMatchObject({ holdouts: 'passed' });
  expect(JSON.stringify(approval)).not.toContain(NAME);
  expectStatus(
    await control.call('POST', `/approvals/${approval['id']}/decisions`, {
      as: 'approver',
      json: { decision: 'approve', subject: approval['subject'], reason: 'seen' },
    }),
    200,
  );
  const claim = await claimNext(control, 'effector', 'effect', 'claim-of-before');
  expect(String(claim['request'])).toBe(open);
  const declared = (claim['inputs'] as unknown as Json[]).find(({ name }) => String(name) === 'declaration');
  expect(String(declared?.['digest'])).toBe(after.application['declaration_digest']);
  const read = (digest: unknown) =>
    control.call('GET', `/jobs/${claim['job']}/artifacts/${digest}`, { as: 'effector', headers: lease(claim) });
  expect(expectStatus(await read(declared?.['digest']), 200)).toMatchObject({ holdouts: true, scenarios: [] });
  expect((await read(before.application['declaration_digest'])).status).toBe(404);
});

test('a second start finds nothing to take out', async () => {
  const sets = itemsOf(
    await control.call('GET', `/applications/${after.application['id']}/holdouts`, { as: 'auditor' }),
  );
  expect(sets).toMatchObject([{ endedAt: null }]);
  await control.restart();
  expect(
    itemsOf(await control.call('GET', `/applications/${after.application['id']}/holdouts`, { as: 'auditor' })),
  ).toEqual(sets);
  expect(recorded(`select count(*) as events from audit_events where command_id like '%:holdouts'`)).toEqual([
    { events: 1 },
  ]);
});
