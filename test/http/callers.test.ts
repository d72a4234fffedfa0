import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { claimNext, expectStatus, installBench, lease, submit } from './bench-line.ts';
import { type ControlProcess, startControl } from './control-process.ts';

let control: ControlProcess;
let application: string;

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
});
afterAll(() => control.stop());

/** A call with header lines as they are given, doubled ones too. */
function raw(path: string, headers: readonly string[]): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const { hostname, port } = new URL(control.url);
  request({ hostname, port, path, headers: ['host', `${hostname}:${port}`, ...headers] }, async (answer) => {
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    resolve({ status: answer.statusCode ?? 0, text });
  })
    .once('error', reject)
    .end();
  return promise;
}

test('two Authorization headers are refused, whichever of them would do', async () => {
  const bearer = `Bearer ${await control.token('requester')}`;
  expect((await raw('/api/v1/me', ['authorization', bearer])).status).toBe(200);
  for (const other of [bearer, 'Bearer x', 'Basic eDp4', '']) {
    for (const pair of [
      ['authorization', bearer, 'Authorization', other],
      ['Authorization', other, 'authorization', bearer],
    ]) {
      const { status, text } = await raw('/api/v1/me', pair);
      expect([status, JSON.parse(text).code]).toEqual([400, 'FACTORY-AUTHORIZATION-REPEATED']);
    }
  }
});

test.each(['__proto__', 'constructor', 'prototype', 'toString'])(
  '%s is an unknown field of queries and bodies',
  async (name) => {
    const query = await control.call('GET', `/requests?${name}=1`, { as: 'requester' });
    expect([query.status, query.json['errors']]).toMatchObject([422, [{ pointer: `/${name}`, code: 'unknown_field' }]]);
    const body = await control.call('POST', '/sessions', {
      as: 'requester',
      headers: { 'content-type': 'application/json', 'idempotency-key': `body-${name}` },
      body: `{"title":"mine","${name}":{"isAdmin":true}}`,
    });
    expect(body.json['errors']).toMatchObject([{ pointer: `/${name}`, code: 'unknown_field' }]);
  },
);

test('a worker learns of no job that it does not hold: an absent one and a foreign one are refused alike', async () => {
  expectStatus(await submit(control, application, 'whose'), 202);
  const claim = await claimNext(control, 'station', 'plan', 'claim-whose-1');
  const job = String(claim['job']);
  const absent = `${job.slice(0, -4)}${job.endsWith('aaaa') ? 'bbbb' : 'aaaa'}`;
  const digest = `sha256:${'0'.repeat(64)}`;
  const calls: [method: string, verb: string, json?: unknown][] = [
    ['POST', 'renew', {}],
    ['POST', 'release', {}],
    ['POST', 'complete', { outcome: { verdict: 'ok' } }],
    ['POST', 'fail', { failure: { kind: 'terminal', code: 'x', message: 'x' } }],
    ['POST', 'checkpoint', { digest }],
    ['POST', 'uploads', { kind: 'log', mediaType: 'text/plain', size: 1, digest }],
    ['GET', `artifacts/${digest}`],
    ['POST', 'claim', { claimId: 'claim-whose-2' }],
  ];
  const told = async (id: string, method: string, verb: string, json: unknown) => {
    const answer = await control.call(method, `/jobs/${id}/${verb}`, {
      as: 'verifier',
      ...(verb === 'claim' ? {} : { headers: lease(claim) }),
      ...(json === undefined ? {} : { json }),
    });
    return [verb, answer.status, answer.text.replaceAll(id, 'JOB')];
  };
  for (const [method, verb, json] of calls)
    expect(await told(job, method, verb, json)).toEqual(await told(absent, method, verb, json));
});

test('an output that is named twice is refused, and the job can still be completed', async () => {
  expectStatus(await submit(control, application, 'twice'), 202);
  const claim = await claimNext(control, 'station', 'plan', 'claim-twice-1');
  const outputs = ['one', 'two'].map((text) => ({
    name: 'plan',
    kind: 'plan',
    digest: digestOfBytes(text),
    inline: { mediaType: 'text/plain', content: Buffer.from(text).toString('base64') },
  }));
  const path = `/jobs/${claim['job']}/complete`;
  const complete = (json: unknown) => control.call('POST', path, { as: 'station', headers: lease(claim), json });
  const answer = await complete({ outcome: { verdict: 'ok' }, outputs });
  expect([answer.status, answer.json['code'], answer.json['errors']]).toMatchObject([
    422,
    'FACTORY-OUTPUT-REPEATED',
    [{ pointer: '/outputs/1/name', code: 'duplicate_output' }],
  ]);
  expectStatus(await complete({ outcome: { verdict: 'ok' }, outputs: outputs.slice(0, 1) }), 200);
});
