import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimNext, complete, declaration, expectStatus, installBench, packet, submit } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';

let control: ControlProcess;
let application: string;
let claims = 0;
const principals = new Map<string, string>();

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
  for (const identity of [
    'requester',
    'other-requester',
    'approver',
    'security-approver',
    'operator',
    'policy-owner',
    'station',
  ]) {
    const me = expectStatus(await control.call('GET', '/me', { as: identity }), 200);
    principals.set(identity, String(me['principal']));
  }
});
afterAll(() => control.stop());

const owner = (method: string, path: string, json?: unknown) =>
  control.call(method, path, { as: 'policy-owner', ...(json === undefined ? {} : { json }) });
const rights = (identity: string, path: string, json: unknown) =>
  owner('POST', `/principals/${principals.get(identity)}/${path}`, json);

/** A request at its open gate, with the approval as the approver sees it. */
async function atGate(key: string): Promise<{ request: string; approval: Json }> {
  const request = expectStatus(await submit(control, application, key), 202);
  const claim = await claimNext(control, 'station', 'plan', `claim-of-rights-${++claims}`);
  expect(claim['request']).toBe(request['id']);
  const facts = { paths: ['src/a.js'], pathCount: 1 };
  expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }), 200);
  const seen = expectStatus(
    await control.call('GET', `/requests/${request['id']}`, {
      as: 'requester',
      headers: { prefer: 'wait=10; until=gate' },
    }),
    200,
  );
  const id = seen['waitingFor']?.[0]?.['approval'];
  return {
    request: String(request['id']),
    approval: expectStatus(await control.call('GET', `/approvals/${id}`, { as: 'approver' }), 200),
  };
}

const decide = (approval: Json, as: string) =>
  control.call('POST', `/approvals/${approval['id']}/decisions`, {
    as,
    json: { decision: 'approve', subject: approval['subject'], reason: 'seen' },
  });

describe('identities', () => {
  test('are added once by their object id, found again, and audited', async () => {
    const added = { oid: randomUUID(), kind: 'user', name: 'A second approver' };
    const first = await owner('POST', '/principals', added);
    const { id } = expectStatus(first, 201);
    expect(first.headers.get('location')).toBe(`/api/v1/principals/${id}`);
    expect(expectStatus(await owner('POST', '/principals', added), 201)['id']).toBe(id);
    expect(expectStatus(await owner('POST', `/principals/${id}/roles`, { role: 'approver' }), 200)['changed']).toBe(
      true,
    );
    expect(expectStatus(await owner('POST', `/principals/${id}/roles`, { role: 'approver' }), 200)['changed']).toBe(
      false,
    );
    expect(expectStatus(await owner('GET', `/principals/${id}`), 200)).toMatchObject({
      kind: 'user',
      oid: added.oid,
      roles: [{ role: 'approver', application: null }],
      delegates: [],
    });
    const names = [];
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page = expectStatus(await owner('GET', `/principals?limit=4${next === '' ? '' : `&cursor=${next}`}`), 200);
      names.push(...(page['items'] as unknown as Json[]).map((item) => String(item['name'])));
      next = page['next'] === undefined ? undefined : String(page['next']);
    }
    expect(names).toContain('A second approver');
    expect(new Set(names).size).toBe(names.length);
    const audit = (await control.call('GET', '/audit/tenant/export', { as: 'auditor' })).text;
    for (const action of ['principal.added', 'principal.role-given']) expect(audit).toContain(action);
  });

  test.each([
    ['a role of their own', 'policy-owner', 'roles', { role: 'approver' }, 403, 'FACTORY-FORBIDDEN'],
    ['an own delegation', 'requester', 'delegates', { delegate: 'policy-owner' }, 403, 'FACTORY-FORBIDDEN'],
    ["a worker's role for a person", 'requester', 'roles', { role: 'station' }, 422, 'FACTORY-ROLE-UNFIT'],
    ["a person's role for a worker", 'station', 'roles', { role: 'approver' }, 422, 'FACTORY-ROLE-UNFIT'],
    ['a role nobody knows', 'requester', 'roles', { role: 'root' }, 422, 'FACTORY-BODY-INVALID'],
    [
      'an application that is not there',
      'requester',
      'roles',
      { role: 'approver', application: 'app_x' },
      404,
      'FACTORY-NOT-FOUND',
    ],
    [
      'a delegate who is themselves',
      'requester',
      'delegates',
      { delegate: 'requester' },
      422,
      'FACTORY-DELEGATE-UNFIT',
    ],
    ['a delegate who is not there', 'requester', 'delegates', { delegate: 'nobody' }, 404, 'FACTORY-NOT-FOUND'],
  ])('are refused %s', async (_what, identity, path, body, status, code) => {
    const named = 'delegate' in body ? { delegate: principals.get(body.delegate) ?? body.delegate } : body;
    const answer = await rights(identity, path, named);
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  });
});

describe('a delegation', () => {
  test('keeps both sides from approving what the other asked for, also when it is ended in between', async () => {
    const { approval } = await atGate('delegated');
    const delegate = principals.get('approver');
    expect(expectStatus(await rights('requester', 'delegates', { delegate }), 200)['changed']).toBe(true);
    expect((await decide(approval, 'approver')).json['detail']).toMatch(/acts for the requester/);
    expect(expectStatus(await rights('requester', 'delegates/withdraw', { delegate }), 200)['changed']).toBe(true);
    expect((await decide(approval, 'approver')).status).toBe(403);
    expect((await decide(approval, 'security-approver')).json['state']).toBe('approved');
    // What is asked for after its end is free of it.
    const later = await atGate('undelegated');
    expect((await decide(later.approval, 'approver')).json['state']).toBe('approved');
  });

  test('of the worker that did the work counts as well', async () => {
    const { approval } = await atGate('worker-delegated');
    const delegate = principals.get('approver');
    expectStatus(await rights('station', 'delegates', { delegate }), 200);
    expect((await decide(approval, 'approver')).status).toBe(403);
    expect((await decide(approval, 'security-approver')).json['state']).toBe('approved');
    expectStatus(await rights('station', 'delegates/withdraw', { delegate }), 200);
  });
});

describe('a role for one application', () => {
  test('counts for that application only', async () => {
    const second = expectStatus(
      await control.call('POST', '/applications', { as: 'operator', json: { ...declaration, name: 'second' } }),
      201,
    );
    const { request, approval } = await atGate('scoped');
    const who = 'other-requester';
    const give = (role: string, at: unknown) => rights(who, 'roles', { role, application: at });
    expectStatus(await give('approver', second['id']), 200);
    expect((await control.call('GET', `/approvals/${approval['id']}`, { as: who })).status).toBe(404);
    expect((await decide(approval, who)).status).toBe(404);
    const listed = () => control.call('GET', '/requests?limit=100', { as: who });
    expect((await listed()).text).not.toContain(request);
    expectStatus(await give('approver', application), 200);
    const me = expectStatus(await control.call('GET', '/me', { as: who }), 200);
    expect(me['roles']).toEqual(['requester']);
    expect(me['applicationRoles']).toEqual({ [application]: ['approver'], [String(second['id'])]: ['approver'] });
    expect((await listed()).text).toContain(request);
    expect((await control.call('GET', '/approvals', { as: who })).text).toContain(String(approval['id']));
    expect((await decide(approval, who)).json['state']).toBe('approved');
    // It gives nothing of the tenant.
    expectStatus(await give('operator', application), 200);
    expect((await control.call('GET', '/status', { as: who })).status).toBe(403);
    expect(
      (await control.call('POST', `/requests/${request}/cancel`, { as: who, json: { reason: 'no' } })).status,
    ).toBe(202);
    const taken = await rights(who, 'roles/withdraw', { role: 'operator', application });
    expect(expectStatus(taken, 200)['changed']).toBe(true);
  });
});

describe("an operator's retry", () => {
  test('is the same request of the same requester, set going by the operator, who may not approve it', async () => {
    const { request } = await atGate('stuck');
    expectStatus(
      await control.call('POST', `/requests/${request}/cancel`, { as: 'operator', json: { reason: 'stuck' } }),
      202,
    );
    await control.call('GET', `/requests/${request}`, {
      as: 'requester',
      headers: { prefer: 'wait=10; until=terminal' },
    });
    const retry = () =>
      control.call('POST', `/requests/${request}/retry`, {
        as: 'operator',
        json: {},
        headers: { 'idempotency-key': 'op-1' },
      });
    const again = expectStatus(await retry(), 202);
    expect(expectStatus(await retry(), 202)['id']).toBe(again['id']);
    const seen = expectStatus(await control.call('GET', `/requests/${again['id']}`, { as: 'requester' }), 200);
    expect([seen['requestedBy'], seen['submittedBy'], seen['retryOf']]).toEqual([
      principals.get('requester'),
      principals.get('operator'),
      request,
    ]);
    const events = expectStatus(await control.call('GET', `/requests/${again['id']}/events`, { as: 'requester' }), 200);
    expect(events['items']?.[0]).toMatchObject({
      action: 'request.submitted',
      actor: principals.get('operator'),
      subjects: { requestedBy: principals.get('requester'), retryOf: request },
    });
    // Who asked, and who asked for them, stay away from its gate, whatever roles they hold.
    for (const identity of ['requester', 'operator'])
      expectStatus(await rights(identity, 'roles', { role: 'approver' }), 200);
    const claim = await claimNext(control, 'station', 'plan', 'claim-of-the-retry');
    expect(claim['request']).toBe(again['id']);
    const facts = { paths: ['src/a.js'], pathCount: 1 };
    expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }), 200);
    const gate = await control.call('GET', `/requests/${again['id']}`, {
      as: 'requester',
      headers: { prefer: 'wait=10; until=gate' },
    });
    const approval = expectStatus(
      await control.call('GET', `/approvals/${gate.json['waitingFor']?.[0]?.['approval']}`, { as: 'approver' }),
      200,
    );
    for (const identity of ['requester', 'operator']) {
      expect((await decide(approval, identity)).status).toBe(403);
      expectStatus(await rights(identity, 'roles/withdraw', { role: 'approver' }), 200);
    }
    expect((await decide(approval, 'approver')).json['state']).toBe('approved');
  });

  test('is no way to submit a packet of their own', async () => {
    const own = await control.call('POST', '/requests', {
      as: 'operator',
      headers: { 'idempotency-key': 'op-own' },
      json: { application, packet: packet('Of the operator') },
    });
    expect([own.status, own.json['code']]).toEqual([403, 'FACTORY-FORBIDDEN']);
  });
});
