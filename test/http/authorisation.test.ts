import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathOf } from '../../functions/control/http/route.ts';
import { ROUTES } from '../../functions/control/http/routes.ts';
import { newId } from '../../shared/domain/ids.ts';
import { bundle, claimNext, complete, declaration, expectStatus, installBench, packet, submit } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';

/**
 * Every route of the table × every identity, on things of `requester`: who is not named here must be refused. A route without
 * a line here fails the test, and so does one that answers somebody who is not named.
 */
const PEOPLE = ['requester', 'other-requester', 'approver', 'security-approver', 'operator', 'policy-owner', 'auditor'];
const WORKERS = ['station', 'verifier', 'effector'];
const EVERYBODY = [...PEOPLE, ...WORKERS];
const DECIDERS = ['approver', 'security-approver'];
const SEES_REQUEST = ['requester', ...DECIDERS, 'operator', 'auditor'];
const SEES_APPLICATION = PEOPLE;

const ALLOWED: Readonly<Record<string, readonly string[] | 'public'>> = {
  health: 'public',
  ready: 'public',
  openapi: 'public',
  'identity-token': 'public',
  'identity-jwks': 'public',
  'sessions-create': ['requester', 'other-requester'],
  'sessions-list': EVERYBODY,
  'sessions-read': ['requester', 'operator', 'auditor'],
  'applications-register': ['operator'],
  'applications-declare': ['operator'],
  'applications-list': EVERYBODY,
  'applications-read': SEES_APPLICATION,
  'definitions-publish': ['policy-owner'],
  'definitions-list': PEOPLE,
  'definitions-read': PEOPLE,
  'installations-plan': ['operator', 'policy-owner'],
  'installations-list': SEES_APPLICATION,
  'installations-status': SEES_APPLICATION,
  'installations-read': ['operator', 'policy-owner', 'auditor'],
  'requests-submit': ['requester', 'other-requester'],
  'requests-list': EVERYBODY,
  'requests-read': SEES_REQUEST,
  'requests-cancel': ['requester', 'operator'],
  'requests-retry': ['requester', 'operator'],
  'requests-answer': ['requester'],
  'requests-defect': ['requester', 'operator'],
  'requests-defects': SEES_REQUEST,
  'requests-plan': SEES_REQUEST,
  'requests-nodes': SEES_REQUEST,
  'requests-jobs': SEES_REQUEST,
  'requests-approvals': SEES_REQUEST,
  'requests-effects': SEES_REQUEST,
  'requests-evidence': SEES_REQUEST,
  'requests-events': SEES_REQUEST,
  'pools-claim': ['station'],
  'jobs-claim': ['station'],
  'jobs-renew': [],
  'jobs-complete': [],
  'jobs-fail': [],
  'jobs-release': [],
  'jobs-checkpoint': [],
  'jobs-artifact': [],
  'uploads-begin': [],
  'uploads-put': [],
  'uploads-read': [],
  'effects-intend': [],
  'effects-record': [],
  'approvals-list': EVERYBODY,
  'approvals-read': ['requester', ...DECIDERS, 'policy-owner', 'auditor'],
  'approvals-decide': DECIDERS,
  'approvals-revoke': DECIDERS,
  'artifacts-read': ['requester', ...DECIDERS, 'auditor'],
  'applications-holdouts': ['policy-owner', 'auditor'],
  'requests-holdouts': ['policy-owner', 'auditor'],
  'audit-export': ['auditor'],
  'audit-anchors': ['operator', 'auditor'],
  'audit-keys': EVERYBODY,
  activity: ['operator', 'auditor'],
  status: ['operator'],
  reconcile: ['operator'],
  'restore-status': ['operator'],
  'restore-accept': ['operator'],
  me: EVERYBODY,
  'principals-add': ['policy-owner'],
  'principals-list': ['policy-owner', 'operator', 'auditor'],
  'principals-read': ['policy-owner', 'operator', 'auditor'],
  'principals-give-role': ['policy-owner'],
  'principals-withdraw-role': ['policy-owner'],
  'principals-record-delegate': ['policy-owner'],
  'principals-end-delegate': ['policy-owner'],
};

/** Refused under a lease that is nobody's: whoever passes the role check meets the lease check. */
const LEASE = { 'factory-lease': `1.${'A'.repeat(43)}` };
const digestOf = (character: string): string => `sha256:${character.repeat(64)}`;
const outcome = { verdict: 'ok' };

let control: ControlProcess;
let parameters: Record<string, string>;
let bodies: Record<string, unknown>;

beforeAll(async () => {
  control = await startControl();
  const application = await installBench(control);
  const session = expectStatus(
    await control.call('POST', '/sessions', { as: 'requester', json: { title: 'Mine' } }),
    201,
  );
  const request = expectStatus(await submit(control, application, 'matrix'), 202);
  const claim = await claimNext(control, 'station', 'plan', 'claim-matrix');
  expectStatus(
    await complete(control, 'station', claim, { ...outcome, facts: { paths: ['src/a.js'], pathCount: 1 } }),
    200,
  );
  const seen = expectStatus(
    await control.call('GET', `/requests/${request['id']}`, {
      as: 'requester',
      headers: { prefer: 'wait=10; until=gate' },
    }),
    200,
  );
  const installations = expectStatus(
    await control.call('GET', `/applications/${application}/installations`, { as: 'operator' }),
    200,
  );
  const approval = expectStatus(
    await control.call('GET', `/approvals/${seen['waitingFor']?.[0]?.['approval']}`, { as: 'approver' }),
    200,
  );
  const definitions = expectStatus(await control.call('GET', `/applications/${application}`, { as: 'operator' }), 200)[
    'definitions'
  ];
  parameters = {
    application,
    session: String(session['id']),
    request: String(request['id']),
    job: String(claim['job']),
    approval: String(approval['id']),
    installation: String(installations['items']?.[0]?.['id']),
    upload: newId('upload', Date.now()),
    effect: newId('effect', Date.now()),
    event: 'started',
    pool: 'plan',
    stream: application,
    principal: String(session['owner']),
  };
  bodies = {
    'sessions-create': { title: 'Another' },
    'applications-register': declaration,
    'applications-declare': declaration,
    'definitions-publish': bundle,
    'installations-plan': { definitions },
    'requests-submit': { application, packet: packet() },
    'requests-cancel': { reason: 'no more' },
    'requests-retry': {},
    'requests-answer': { answer: 'yes' },
    'requests-defect': { class: 'regression', summary: 'It broke.' },
    'pools-claim': { claimId: 'claim-of-a-stranger' },
    'jobs-claim': { claimId: 'claim-of-a-stranger' },
    'jobs-renew': {},
    'jobs-complete': { outcome },
    'jobs-fail': { failure: { kind: 'terminal', code: 'x', message: 'x' } },
    'jobs-release': {},
    'jobs-checkpoint': { digest: digestOf('a') },
    'uploads-begin': { kind: 'log', mediaType: 'text/plain', size: 1, digest: digestOf('a') },
    'effects-intend': {
      kind: 'git_push',
      ordinal: 0,
      target: 'x',
      tree: digestOf('a'),
      expectedBefore: '',
      rollback: 'x',
    },
    'effects-record': { observed: 'x' },
    'approvals-decide': { decision: 'approve', subject: approval['subject'], reason: 'looks right' },
    'approvals-revoke': { reason: 'no' },
    'restore-accept': { anchor: { sequence: 1, digest: digestOf('a') }, reason: 'the disk was lost' },
    'principals-add': { oid: 'another', kind: 'user', name: 'Another' },
    'principals-give-role': { role: 'approver' },
    'principals-withdraw-role': { role: 'approver' },
    'principals-record-delegate': { delegate: newId('principal', Date.now()) },
    'principals-end-delegate': { delegate: newId('principal', Date.now()) },
  };
  parameters['digest'] = String(request['packet']);
});
afterAll(() => control.stop());

type Route = (typeof ROUTES)[number];
const urlOf = (route: Route): string => {
  const path = pathOf(route).replace(/\{([a-z]+)\}/g, (_, name: string) =>
    route.name === 'definitions-read' && name === 'digest'
      ? String((bodies['installations-plan'] as Json)['definitions'])
      : (parameters[name] ?? name),
  );
  return route.name === 'uploads-put' ? `${path}?offset=0` : path;
};
const send = (route: Route, as?: string, token?: string) =>
  control.call(route.method, urlOf(route), {
    ...(as === undefined ? {} : { as }),
    ...(token === undefined ? {} : { token }),
    ...(bodies[route.name] === undefined ? {} : { json: bodies[route.name] }),
    ...(route.name === 'uploads-put' ? { body: 'x' } : {}),
    headers: {
      ...LEASE,
      'idempotency-key': `matrix-${as}`,
      ...(route.name === 'uploads-put' ? { 'content-type': 'application/octet-stream' } : {}),
    },
  });

describe('authorisation matrix', () => {
  test('names every route of the table, and nothing else', () => {
    expect(ROUTES.map((route) => route.name).sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  test('nobody without a token gets anything but what is public', async () => {
    for (const route of ROUTES) {
      if (ALLOWED[route.name] === 'public') continue;
      const answer = await send(route);
      expect([route.name, answer.status, answer.json['code']]).toEqual([route.name, 401, 'FACTORY-UNAUTHENTICATED']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('who is not named is refused, on every route', async () => {
    const unexpected: string[] = [];
    let cells = 0;
    for (const route of ROUTES) {
      const allowed = ALLOWED[route.name];
      if (allowed === 'public' || allowed === undefined) continue;
      for (const identity of EVERYBODY) {
        if (allowed.includes(identity)) continue;
        cells += 1;
        const { status, json } = await send(route, identity);
        // 404 where the caller may not know of it; a stale lease is refused as such to a worker of the right role.
        const refused =
          status === 403 ||
          status === 404 ||
          (String(json?.['code']) === 'FACTORY-LEASE-LOST' && WORKERS.includes(identity));
        if (!refused) unexpected.push(`${identity} ${route.name}: ${status} ${json?.['code'] ?? ''}`);
      }
    }
    expect(unexpected).toEqual([]);
    expect(cells).toBeGreaterThan(250);
  });

  test('who is named may read', async () => {
    const unexpected: string[] = [];
    for (const route of ROUTES) {
      const allowed = ALLOWED[route.name];
      if (route.method !== 'GET' || allowed === 'public' || allowed === undefined) continue;
      for (const identity of allowed) {
        const { status } = await send(route, identity);
        // The bench line makes no plan.
        if (status !== 200 && !(route.name === 'requests-plan' && status === 404))
          unexpected.push(`${identity} ${route.name}: ${status}`);
      }
    }
    expect(unexpected).toEqual([]);
  });

  test('a list leaves out what is foreign', async () => {
    const own = expectStatus(await control.call('GET', '/requests', { as: 'requester' }), 200);
    const foreign = expectStatus(await control.call('GET', '/requests', { as: 'other-requester' }), 200);
    expect(own['items']?.[0]?.['id']).toBe(parameters['request']);
    expect(foreign['items']).toEqual([]);
    expect(expectStatus(await control.call('GET', '/approvals', { as: 'other-requester' }), 200)['items']).toEqual([]);
    expect(expectStatus(await control.call('GET', '/sessions', { as: 'other-requester' }), 200)['items']).toEqual([]);
    expect(expectStatus(await control.call('GET', '/requests', { as: 'station' }), 200)['items']).toEqual([]);
  });

  test('a foreign, a malformed and an absent id are told apart by nobody', async () => {
    for (const id of [
      parameters['request'],
      newId('request', Date.now()),
      'req_x',
      parameters['job'],
      '..%2f..',
      "req_'or'1'='1",
    ]) {
      const answer = await control.call('GET', `/requests/${id}`, { as: 'other-requester' });
      expect([id, answer.status, answer.json['code']]).toEqual([id, 404, 'FACTORY-NOT-FOUND']);
    }
  });
});
