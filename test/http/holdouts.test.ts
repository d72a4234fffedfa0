import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimNext, complete, expectStatus, installBench, lease } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';
import { declare, everyWay, inline, itemsOf, judgedPacket, permissive, scenarioOf } from './hidden-line.ts';

/**
 * Hidden scenarios under a policy that permits everything, by every identity and every way to bytes: nobody but a policy owner of the application and
 * the job that runs them, while it holds its lease, reads one.
 */
const MARK = 'the-answer-is-1093';
const NAME = 'knows-the-answer';
const PEOPLE = ['requester', 'other-requester', 'approver', 'security-approver', 'operator', 'auditor'];
const WORKERS = ['station', 'verifier', 'effector'];

let control: ControlProcess;
let application: string;
let other: string;
let digest: string;
let request: Json;
let claims = 0;
const claimId = () => `claim-${String(++claims).padStart(5, '0')}`;

const submit = async (to: string, repository: string, key: string) =>
  expectStatus(
    await control.call('POST', '/requests', {
      as: 'requester',
      headers: { 'idempotency-key': key },
      json: { application: to, packet: judgedPacket(repository) },
    }),
    202,
  );

async function planned(): Promise<Json> {
  const claim = await claimNext(control, 'station', 'plan', claimId());
  const inputs = claim['inputs'] as unknown as Json[];
  expect(inputs.map(({ name }) => name)).toEqual(['declaration', 'packet']);
  expectStatus(await complete(control, 'station', claim, { verdict: 'ok' }), 200);
  return claim;
}

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control, permissive, declare('judged', [scenarioOf(MARK, NAME)]));
  other = await installBench(control, permissive, declare('neighbour', [scenarioOf('something else')]));
  const people = itemsOf(await control.call('GET', '/principals', { as: 'policy-owner' }));
  const id = people.find(({ name }) => String(name) === 'other-requester')?.['id'];
  expectStatus(
    await control.call('POST', `/principals/${id}/roles`, {
      as: 'policy-owner',
      json: { role: 'policy_owner', application: other },
    }),
    200,
  );
  request = await submit(application, 'judged', 'one');
  const sets = itemsOf(await control.call('GET', `/applications/${application}/holdouts`, { as: 'policy-owner' }));
  expect(sets).toHaveLength(1);
  digest = String(sets[0]?.['digest']);
});
afterAll(() => control.stop());

describe('a hidden scenario', () => {
  test('is read by a policy owner of its application', async () => {
    const { status, text } = await control.call('GET', `/artifacts/${digest}`, { as: 'policy-owner' });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ scenarios: [{ name: NAME, script: MARK }] });
  });

  test.each([...PEOPLE, ...WORKERS])('is not there for %s, whichever way it is asked for', async (as) => {
    const answers = await everyWay(control, as, digest, String(request['packet']));
    expect(answers.map(({ status }) => status)).toEqual(
      answers.map(() => (WORKERS.includes(as) ? expect.anything() : 404)),
    );
    for (const { status, text } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain(MARK);
    }
  });

  test('is not there without an identity', async () => {
    for (const route of [
      `/artifacts/${digest}`,
      `/applications/${application}/holdouts`,
      `/requests/${request['id']}/holdouts`,
    ])
      expect((await control.call('GET', route)).status).toBe(401);
  });

  test('is known by digest to auditors, and to nobody who might be judged by it', async () => {
    for (const as of ['auditor', 'policy-owner'])
      expect(itemsOf(await control.call('GET', `/applications/${application}/holdouts`, { as }))).toMatchObject([
        { digest },
      ]);
    for (const as of PEOPLE.filter((each) => each !== 'auditor')) {
      expect((await control.call('GET', `/applications/${application}/holdouts`, { as })).status, as).toBe(404);
      expect((await control.call('GET', `/requests/${request['id']}/holdouts`, { as })).status, as).toBe(404);
    }
    // A policy owner of one application is nobody at another.
    expect(
      itemsOf(await control.call('GET', `/applications/${other}/holdouts`, { as: 'other-requester' })),
    ).toHaveLength(1);
  });

  test('is kept as it is by the same declaration again, and by one that says so', async () => {
    const put = (json: unknown) => control.call('PUT', `/applications/${application}`, { as: 'operator', json });
    const current = async () =>
      itemsOf(await control.call('GET', `/applications/${application}/holdouts`, { as: 'auditor' }));
    expectStatus(await put(declare('judged', [scenarioOf(MARK, NAME)])), 200);
    expectStatus(await put(declare('judged', [], { holdouts: true, testFiles: ['spec/**'] })), 200);
    expect(await current()).toMatchObject([{ digest, endedAt: null }]);
    expectStatus(await put(declare('judged', [scenarioOf(`${MARK} or 7`, NAME)])), 200);
    const changed = await current();
    expect(changed).toMatchObject([{ endedAt: null }, { digest, endedAt: expect.any(String) }]);
    expectStatus(await put(declare('judged', [])), 200);
    expect((await put(declare('judged', [], { holdouts: true }))).status).toBe(422);
    expectStatus(await put(declare('judged', [scenarioOf(MARK, NAME)])), 200);
  });
});

describe('the job that runs hidden scenarios', () => {
  let judging: Json;

  beforeAll(async () => {
    await planned();
    judging = await claimNext(control, 'verifier', 'verify', claimId());
  });
  const read = (as: string, claim: Json, what: string, headers: Record<string, string> = lease(claim)) =>
    control.call('GET', `/jobs/${claim['job']}/artifacts/${what}`, { as, headers });

  test('is given those that were there when its request was submitted, and reads them', async () => {
    expect(judging['inputs']).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'holdouts', kind: 'holdout', digest })]),
    );
    expect(expectStatus(await read('verifier', judging, digest), 200)).toMatchObject({ scenarios: [{ script: MARK }] });
  });

  test('is the only one: no other identity under its lease, no other job, no guessed lease', async () => {
    expect((await read('verifier', judging, digest, {})).status).toBe(401);
    expect((await read('verifier', judging, digest, { 'factory-lease': `1.${'A'.repeat(43)}` })).status).toBe(409);
    for (const as of ['station', 'effector', ...PEOPLE, 'policy-owner'])
      expect([403, 404, 409], as).toContain((await read(as, judging, digest)).status);
    await submit(other, 'neighbour', 'two');
    await planned();
    const neighbour = await claimNext(control, 'verifier', 'verify', claimId());
    expect((await read('verifier', neighbour, digest)).status).toBe(404);
    expectStatus(await complete(control, 'verifier', neighbour, { verdict: 'valid' }), 200);
  });

  test('alone puts out a report of them, which no list names and only a policy owner reads', async () => {
    await submit(application, 'judged', 'three');
    const claim = await claimNext(control, 'station', 'plan', claimId());
    const report = inline('holdout_report', 'holdout_report', JSON.stringify({ of: MARK }));
    expect((await complete(control, 'station', claim, { verdict: 'ok' }, [report])).status).toBe(422);
    const upload = { kind: 'holdout', mediaType: 'application/json', size: 3, digest };
    const uploads = await control.call('POST', `/jobs/${claim['job']}/uploads`, {
      as: 'station',
      headers: lease(claim),
      json: upload,
    });
    expect([400, 422]).toContain(uploads.status);
    expectStatus(await complete(control, 'verifier', judging, { verdict: 'invalid' }, [report]), 200);

    const listed = itemsOf(await control.call('GET', `/requests/${request['id']}/jobs`, { as: 'requester' }));
    expect(JSON.stringify(listed)).not.toContain('holdout');
    for (const as of ['auditor', 'policy-owner'])
      expect(expectStatus(await control.call('GET', `/requests/${request['id']}/holdouts`, { as }), 200)).toMatchObject(
        {
          holdouts: digest,
          reports: [{ job: judging['job'], digest: report.digest }],
        },
      );
    for (const as of [...PEOPLE, ...WORKERS])
      for (const { status, text } of await everyWay(control, as, report.digest, String(request['packet']))) {
        expect(status, as).toBeGreaterThanOrEqual(400);
        expect(text).not.toContain(MARK);
      }
    expect((await control.call('GET', `/artifacts/${report.digest}`, { as: 'policy-owner' })).text).toContain(MARK);
  });

  test('loses them with its lease', async () => {
    expect((await read('verifier', judging, digest)).status).toBe(409);
  });
});

test('no view of the application or the request says a word of a hidden scenario', async () => {
  const of = `/requests/${request['id']}`;
  await control.call('GET', of, { as: 'requester', headers: { prefer: 'wait=10; until=terminal' } });
  const row = expectStatus(await control.call('GET', `/applications/${application}`, { as: 'requester' }), 200);
  const routes = [
    `/applications/${application}`,
    '/applications',
    `/artifacts/${row['declaration']}`,
    of,
    ...['plan', 'nodes', 'jobs', 'approvals', 'effects', 'evidence', 'events', 'defects'].map(
      (part) => `${of}/${part}`,
    ),
    '/approvals',
    '/activity',
    `/activity?application=${application}`,
    `/audit/${application}/export`,
  ];
  const evidence = expectStatus(await control.call('GET', `${of}/evidence`, { as: 'requester' }), 200);
  for (const as of [...PEOPLE, ...WORKERS])
    for (const route of [...routes, `/artifacts/${evidence['bundle']}`]) {
      const { text } = await control.call('GET', route, { as });
      for (const secret of [MARK, NAME, 'src/serve.js']) expect(text, `${as} ${route}`).not.toContain(secret);
    }
});
