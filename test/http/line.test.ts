import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimNext, complete, expectStatus, installBench, lease, packet, submit } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';

let control: ControlProcess;
let application: string;
let claims = 0;

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
});
afterAll(() => control.stop());

const claimId = (): string => `claim-${String(++claims).padStart(4, '0')}`;
const facts = { paths: ['src/a.js'], pathCount: 1 };
const read = (id: Json | undefined, headers: Record<string, string> = {}) =>
  control.call('GET', `/requests/${id}`, { as: 'requester', headers });

/** Takes a submitted request to its open gate. */
async function toGate(id: Json | undefined): Promise<Json> {
  const claim = await claimNext(control, 'station', 'plan', claimId());
  expect(claim['request']).toBe(id);
  expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }), 200);
  const seen = expectStatus(await read(id, { prefer: 'wait=10; until=gate' }), 200);
  return expectStatus(
    await control.call('GET', `/approvals/${seen['waitingFor']?.[0]?.['approval']}`, { as: 'approver' }),
    200,
  );
}

async function decide(approval: Json, as = 'approver', decision = 'approve') {
  return await control.call('POST', `/approvals/${approval['id']}/decisions`, {
    as,
    json: { decision, subject: approval['subject'], reason: 'seen' },
  });
}

async function toEnd(id: Json | undefined): Promise<Json> {
  for (const [worker, pool] of [
    ['station', 'build'],
    ['verifier', 'verify'],
  ] as const) {
    const claim = await claimNext(control, worker, pool, claimId());
    expectStatus(await complete(control, worker, claim, { verdict: 'ok' }), 200);
  }
  return expectStatus(await read(id, { prefer: 'wait=10; until=terminal' }), 200);
}

describe('a request over HTTP', () => {
  test('goes from the packet to sealed evidence, and every part of it can be read', async () => {
    const answer = await submit(control, application, 'whole');
    const request = expectStatus(answer, 202);
    expect(answer.headers.get('location')).toBe(`/api/v1/requests/${request['id']}`);
    expect(answer.headers.get('retry-after')).toBe('1');
    const approval = await toGate(request['id']);
    expect(approval['rendered']?.['risk']?.['tier']).toBe('medium');
    expect(approval['body']?.['packet']).toBe(request['packet']);
    expectStatus(await decide(approval), 200);
    const ended = await toEnd(request['id']);
    expect(ended['state']).toBe('terminal');
    const evidence = expectStatus(
      await control.call('GET', `/requests/${request['id']}/evidence`, { as: 'requester' }),
      200,
    );
    expect(evidence['bundle']).toBe(ended['evidence']);
    const bytes = await control.call('GET', `/artifacts/${evidence['bundle']}`, { as: 'auditor' });
    expect(`sha256:${createHash('sha256').update(bytes.text).digest('hex')}`).toBe(evidence['bundle']);
    const events = expectStatus(
      await control.call('GET', `/requests/${request['id']}/events`, { as: 'requester' }),
      200,
    );
    const actions = (events['items'] as unknown as { action: string }[]).map((event) => event.action);
    expect(actions).toEqual(
      expect.arrayContaining(['request.submitted', 'job.claimed', 'job.completed', 'approval.approve']),
    );
    for (const line of (await control.call('GET', `/audit/${application}/export`, { as: 'auditor' })).text
      .trim()
      .split('\n'))
      JSON.parse(line);
  });

  test("a decision is the right people's, on what they saw, once", async () => {
    const request = expectStatus(await submit(control, application, 'decided'), 202);
    const approval = await toGate(request['id']);
    expect((await decide(approval, 'requester')).status).toBe(403);
    const stale = await control.call('POST', `/approvals/${approval['id']}/decisions`, {
      as: 'approver',
      json: { decision: 'approve', subject: `sha256:${'0'.repeat(64)}`, reason: 'x' },
    });
    expect([stale.status, stale.json['code']]).toEqual([409, 'FACTORY-SUBJECT-CHANGED']);
    const first = await decide(approval);
    expect(first.json['state']).toBe('approved');
    expect((await decide(approval)).text).toBe(first.text);
    expect((await decide(approval, 'approver', 'reject')).json['code']).toBe('FACTORY-ALREADY-DECIDED');
    await toEnd(request['id']);
  });

  test('the same key gives the same answer, byte for byte; other content under it is refused', async () => {
    const first = await submit(control, application, 'once');
    const again = await Promise.all(Array.from({ length: 8 }, () => submit(control, application, 'once')));
    expect(new Set(again.map((answer) => `${answer.status} ${answer.text}`))).toEqual(new Set([`202 ${first.text}`]));
    const other = await submit(control, application, 'once', 'Another goal');
    expect([other.status, other.json['code']]).toEqual([409, 'FACTORY-KEY-REUSED']);
    const soon = { ...packet('Soon over'), deadline: new Date(Date.now() + 1_500).toISOString() };
    const send = (key: string) =>
      control.call('POST', '/requests', {
        as: 'requester',
        headers: { 'idempotency-key': key },
        json: { application, packet: soon },
      });
    const inTime = await send('deadline');
    expectStatus(inTime, 202);
    // Its time being over ends the request, and makes the packet one that would be refused.
    expectStatus(await read(inTime.json['id'], { prefer: 'wait=20; until=terminal' }), 200);
    expect((await send('too-late')).json['code']).toBe('FACTORY-PACKET-INVALID');
    expect((await send('deadline')).text).toBe(inTime.text);
    const none = await control.call('POST', '/requests', { as: 'requester', json: { application, packet: packet() } });
    expect([none.status, none.json['code']]).toEqual([400, 'FACTORY-KEY-MISSING']);
    const cancelled = await control.call('POST', `/requests/${first.json['id']}/cancel`, {
      as: 'requester',
      json: { reason: 'enough' },
    });
    expect(cancelled.status).toBe(202);
    const ended = expectStatus(await read(first.json['id'], { prefer: 'wait=10; until=terminal' }), 200);
    expect(ended['terminal']).toBe('CANCELLED');
    const retried = await control.call('POST', `/requests/${first.json['id']}/retry`, {
      as: 'requester',
      headers: { 'idempotency-key': 'again' },
    });
    expect(expectStatus(retried, 202)['id']).not.toBe(first.json['id']);
    const retry = expectStatus(await read(retried.json['id']), 200);
    expect(retry['retryOf']).toBe(first.json['id']);
    expectStatus(
      await control.call('POST', `/requests/${retry['id']}/cancel`, { as: 'requester', json: { reason: 'enough' } }),
      202,
    );
    const open = await control.call('POST', `/requests/${retry['id']}/answers`, {
      as: 'requester',
      headers: { 'idempotency-key': 'a' },
      json: { answer: 'yes' },
    });
    expect([open.status, open.json['code']]).toEqual([409, 'FACTORY-WRONG-STATE']);
  });

  test('an answer is kept with the request that follows it, or not at all', async () => {
    const request = expectStatus(await submit(control, application, 'asks'), 202);
    const claim = await claimNext(control, 'station', 'plan', claimId());
    expect(claim['request']).toBe(request['id']);
    const failed = await control.call('POST', `/jobs/${claim['job']}/fail`, {
      as: 'station',
      headers: lease(claim),
      json: { failure: { kind: 'needs_human', code: 'unclear', question: 'Which of the two?', tried: ['the first'] } },
    });
    expectStatus(failed, 200);
    const asked = expectStatus(await read(request['id'], { prefer: 'wait=10; until=terminal' }), 200);
    expect(asked['terminal']).toBe('ESCALATE');
    const answered = async (): Promise<number> => {
      const events = await control.call('GET', `/requests/${request['id']}/events`, { as: 'requester' });
      return (expectStatus(events, 200)['items'] as unknown as { action: string }[]).filter(
        ({ action }) => action === 'request.answered',
      ).length;
    };
    const answer = (key: string, json: Record<string, unknown>) =>
      control.call('POST', `/requests/${request['id']}/answers`, {
        as: 'requester',
        headers: { 'idempotency-key': key },
        json,
      });
    const past = { ...packet('Too late'), deadline: '2020-01-01T00:00:00Z' };
    for (const refused of [{ ...packet(), line: { name: 'unheard-of' } }, past, { goal: 'x' }]) {
      const told = await answer('refused', { answer: 'The first.', packet: refused });
      expect([told.status, told.json['code']]).toEqual([422, 'FACTORY-PACKET-INVALID']);
    }
    expect(await answered()).toBe(0);
    const taken = await answer('taken', { answer: 'The first.' });
    const next = expectStatus(taken, 202);
    expect((await answer('taken', { answer: 'The first.' })).text).toBe(taken.text);
    expect((await answer('taken', { answer: 'The second.' })).json['code']).toBe('FACTORY-KEY-REUSED');
    expect(await answered()).toBe(1);
    expect(expectStatus(await read(next['id']), 200)['retryOf']).toBe(request['id']);
    expectStatus(
      await control.call('POST', `/requests/${next['id']}/cancel`, { as: 'requester', json: { reason: 'enough' } }),
      202,
    );
  });

  test('a packet comes as YAML as well', async () => {
    const yaml = JSON.stringify(packet('As YAML'));
    const answer = await control.call('POST', `/requests?application=${application}`, {
      as: 'requester',
      body: yaml,
      headers: { 'content-type': 'application/yaml', 'idempotency-key': 'yaml' },
    });
    expectStatus(answer, 202);
    expectStatus(
      await control.call('POST', `/requests/${answer.json['id']}/cancel`, {
        as: 'requester',
        json: { reason: 'enough' },
      }),
      202,
    );
  });

  test('an entity tag spares the body, and a wait ends with the change', async () => {
    const request = expectStatus(await submit(control, application, 'tagged'), 202);
    const seen = await read(request['id']);
    const tag = seen.headers.get('etag') ?? '';
    const same = await read(request['id'], { 'if-none-match': tag });
    expect([same.status, same.text]).toEqual([304, '']);
    const waiting = read(request['id'], { 'if-none-match': tag, prefer: 'wait=20' });
    const approval = await toGate(request['id']);
    const changed = await waiting;
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(tag);
    expect(changed.headers.get('preference-applied')).toBe('wait=20');
    expectStatus(await decide(approval, 'approver', 'reject'), 200);
    const ended = expectStatus(await read(request['id'], { prefer: 'wait=10; until=terminal' }), 200);
    expect(ended['terminal']).toBe('REJECTED');
  });
});

describe('the job protocol over HTTP', () => {
  test('a claim repeated with its id gets the same lease; another worker, a stale token and a foreign pool get nothing', async () => {
    expectStatus(await submit(control, application, 'leased'), 202);
    const id = claimId();
    const claim = await claimNext(control, 'station', 'plan', id);
    const again = expectStatus(
      await control.call('POST', '/pools/plan/claim', { as: 'station', json: { claimId: id } }),
      200,
    );
    expect(again['leaseToken']).toBe(claim['leaseToken']);
    const path = `/jobs/${claim['job']}`;
    expect(
      (await control.call('POST', `${path}/claim`, { as: 'station', json: { claimId: claimId() } })).json['code'],
    ).toBe('FACTORY-ALREADY-LEASED');
    expect((await control.call('POST', `${path}/claim`, { as: 'verifier', json: { claimId: claimId() } })).status).toBe(
      404,
    );
    expect(
      (await control.call('POST', '/pools/verify/claim', { as: 'station', json: { claimId: claimId() } })).json['code'],
    ).toBe('FACTORY-POOL-FORBIDDEN');
    expect(
      (await control.call('POST', '/pools/nothing/claim', { as: 'station', json: { claimId: claimId() } })).status,
    ).toBe(404);
    expectStatus(await control.call('POST', `${path}/renew`, { as: 'station', headers: lease(claim), json: {} }), 200);
    expect((await control.call('POST', `${path}/renew`, { as: 'station', json: {} })).json['code']).toBe(
      'FACTORY-LEASE-MISSING',
    );
    expect(
      (
        await control.call('POST', `${path}/complete`, {
          as: 'verifier',
          headers: lease(claim),
          json: { outcome: { verdict: 'ok' } },
        })
      ).json['code'],
    ).toBe('FACTORY-LEASE-LOST');
    expectStatus(
      await control.call('POST', `${path}/release`, { as: 'station', headers: lease(claim), json: {} }),
      200,
    );
    const next = await claimNext(control, 'station', 'plan', claimId());
    expect([next['job'], next['epoch'], next['attempt']]).toEqual([claim['job'], 2, 1]);
    for (const [verb, json] of Object.entries({
      renew: {},
      release: {},
      complete: { outcome: { verdict: 'ok' } },
      fail: { failure: { kind: 'terminal', code: 'x', message: 'x' } },
      checkpoint: { digest: `sha256:${'0'.repeat(64)}` },
      uploads: { kind: 'log', mediaType: 'text/plain', size: 1, digest: `sha256:${'0'.repeat(64)}` },
    })) {
      const stale = await control.call('POST', `${path}/${verb}`, { as: 'station', headers: lease(claim), json });
      expect([verb, stale.status, stale.json['code']]).toEqual([verb, 409, 'FACTORY-LEASE-LOST']);
    }
    const first = await complete(control, 'station', next, { verdict: 'ok', facts });
    expect((await complete(control, 'station', next, { verdict: 'ok', facts })).text).toBe(first.text);
    expect((await complete(control, 'station', next, { verdict: 'invalid' })).json['code']).toBe(
      'FACTORY-ALREADY-ANSWERED',
    );
    expectStatus(
      await control.call('POST', `/requests/${claim['request']}/cancel`, {
        as: 'requester',
        json: { reason: 'enough' },
      }),
      202,
    );
  });

  test('uploads come in chunks, are sealed by digest, and are read by capability only', async () => {
    expectStatus(await submit(control, application, 'uploaded'), 202);
    const claim = await claimNext(control, 'station', 'plan', claimId());
    const bytes = randomBytes(3_000_000);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const path = `/jobs/${claim['job']}`;
    const announced = { kind: 'log', mediaType: 'text/plain', size: bytes.length, digest };
    const begun = expectStatus(
      await control.call('POST', `${path}/uploads`, { as: 'station', headers: lease(claim), json: announced }),
      201,
    );
    const put = (offset: number, chunk: Uint8Array) =>
      control.call('PUT', `${path}/uploads/${begun['upload']}?offset=${offset}`, {
        as: 'station',
        body: Buffer.from(chunk),
        headers: { ...lease(claim), 'content-type': 'application/octet-stream' },
      });
    expect((await put(1_000, bytes.subarray(0, 10))).json['code']).toBe('FACTORY-UPLOAD-OFFSET');
    expect(expectStatus(await put(0, bytes.subarray(0, 1_000_000)), 200)['offset']).toBe(1_000_000);
    expect(
      expectStatus(
        await control.call('GET', `${path}/uploads/${begun['upload']}`, { as: 'station', headers: lease(claim) }),
        200,
      )['offset'],
    ).toBe(1_000_000);
    const notYet = await complete(control, 'station', claim, { verdict: 'ok' }, [{ name: 'log', digest, kind: 'log' }]);
    expect([notYet.status, notYet.json['code']]).toEqual([422, 'FACTORY-OUTPUT-UNKNOWN']);
    expect(expectStatus(await put(1_000_000, bytes.subarray(1_000_000)), 200)['complete']).toBe(true);
    expect((await put(0, randomBytes(9_000_000))).status).toBe(413);
    const back = await fetch(`${control.url}/api/v1${path}/artifacts/${digest}`, {
      headers: { ...lease(claim), authorization: `Bearer ${await control.token('station')}` },
    });
    expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
    const input = (claim['inputs'] as unknown as { name: string; digest: string }[]).find(
      (one) => one.name === 'packet',
    )?.digest;
    expect(
      (await control.call('GET', `${path}/artifacts/${input}`, { as: 'station', headers: lease(claim) })).status,
    ).toBe(200);
    expect(
      (
        await control.call('GET', `${path}/artifacts/sha256:${'0'.repeat(64)}`, {
          as: 'station',
          headers: lease(claim),
        })
      ).status,
    ).toBe(404);
    expect((await control.call('GET', `/artifacts/${digest}`, { as: 'requester' })).status).toBe(404);
    expectStatus(
      await complete(control, 'station', claim, { verdict: 'ok', facts }, [{ name: 'log', digest, kind: 'log' }]),
      200,
    );
    expect((await control.call('GET', `/artifacts/${digest}`, { as: 'requester' })).status).toBe(200);
    expect((await control.call('GET', `/artifacts/${digest}`, { as: 'other-requester' })).status).toBe(404);
    expectStatus(
      await control.call('POST', `/requests/${claim['request']}/cancel`, {
        as: 'requester',
        json: { reason: 'enough' },
      }),
      202,
    );
  });

  test('small outputs come with the report: checked by digest, recorded with it, and nothing of a stale one', async () => {
    expectStatus(await submit(control, application, 'carried'), 202);
    const claim = await claimNext(control, 'station', 'plan', claimId());
    const text = randomBytes(300).toString('base64');
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const output = { name: 'log', digest, kind: 'log' };
    const carried = { ...output, inline: { mediaType: 'text/plain', content: Buffer.from(text).toString('base64') } };
    const say = (outputs: unknown[], as = 'station', held = claim) =>
      complete(control, as, held, { verdict: 'ok', facts }, outputs);

    const other = { ...carried, inline: { ...carried.inline, content: Buffer.from('other').toString('base64') } };
    expect((await say([other])).json['code']).toBe('FACTORY-DIGEST-MISMATCH');
    expect((await say([output])).json['code']).toBe('FACTORY-OUTPUT-UNKNOWN');
    const tooMuch = { ...carried.inline, content: Buffer.alloc(64 * 1024 + 3).toString('base64') };
    expect((await say([{ ...carried, inline: tooMuch }])).status).toBe(422);
    expect((await say([carried], 'verifier')).json['code']).toBe('FACTORY-LEASE-LOST');
    expect((await control.call('GET', `/artifacts/${digest}`, { as: 'requester' })).status).toBe(404);

    const first = await say([carried]);
    expect(expectStatus(first, 200)['state']).toBe('completed');
    expect((await say([carried])).text).toBe(first.text);
    const read = await fetch(`${control.url}/api/v1/artifacts/${digest}`, {
      headers: { authorization: `Bearer ${await control.token('requester')}` },
    });
    expect(await read.text()).toBe(text);
    expect((await control.call('GET', `/artifacts/${digest}`, { as: 'other-requester' })).status).toBe(404);
    expectStatus(
      await control.call('POST', `/requests/${claim['request']}/cancel`, {
        as: 'requester',
        json: { reason: 'enough' },
      }),
      202,
    );
  });

  test('a report says whether the pool has more that is due', async () => {
    for (const key of ['more one', 'more two'])
      expectStatus(await submit(control, application, key.replace(' ', '-')), 202);
    const claims = [];
    for (const more of [true, false]) {
      const claim = await claimNext(control, 'station', 'plan', claimId());
      claims.push(claim);
      expect(expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }), 200)['more']).toBe(more);
    }
    for (const claim of claims)
      expectStatus(
        await control.call('POST', `/requests/${claim['request']}/cancel`, {
          as: 'requester',
          json: { reason: 'enough' },
        }),
        202,
      );
  });

  test('a plane killed in the middle goes on where it was: lease, request and gate', async () => {
    const request = expectStatus(await submit(control, application, 'killed'), 202);
    const claim = await claimNext(control, 'station', 'plan', claimId());
    await control.restart();
    expectStatus(
      await control.call('POST', `/jobs/${claim['job']}/renew`, { as: 'station', headers: lease(claim), json: {} }),
      200,
    );
    expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }), 200);
    const seen = expectStatus(await read(request['id'], { prefer: 'wait=10; until=gate' }), 200);
    const approval = expectStatus(
      await control.call('GET', `/approvals/${seen['waitingFor']?.[0]?.['approval']}`, { as: 'approver' }),
      200,
    );
    await control.restart();
    expectStatus(await decide(approval), 200);
    expect((await toEnd(request['id']))['state']).toBe('terminal');
    expect((await submit(control, application, 'killed')).json['id']).toBe(request['id']);
  });
});
