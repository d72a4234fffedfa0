import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type IssuerFile, readIssuerFile } from '../../shared/access/local/issuer-file.ts';
import { type ControlProcess, startControl } from './control-process.ts';

let control: ControlProcess;
let issuer: IssuerFile;
let key: KeyObject;

beforeAll(async () => {
  control = await startControl();
  issuer = (await readIssuerFile(control.dataDirectory))!;
  key = createPrivateKey({ key: issuer.privateJwk, format: 'jwk' });
});
afterAll(() => control.stop());

type Part = Readonly<Record<string, unknown>>;
const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const clientOf = (name: string) => issuer.clients.find((client) => client.name === name)!;

const goodHeader = (): Part => ({ alg: 'RS256', kid: issuer.keyId, typ: 'at+jwt' });
const goodClaims = (): Part => ({
  iss: issuer.issuer,
  aud: 'agent-factory',
  tid: 'local',
  oid: clientOf('requester').oid,
  ver: '2.0',
  scp: 'Factory.Use',
  iat: now(),
  nbf: now(),
  exp: now() + 600,
  auth_time: now(),
});

/** Signs with the issuer's own key whatever it is given: only the checks can refuse it. */
function forge(
  header: Part,
  claims: unknown,
  signWith: (input: string) => Buffer = (input) => sign('sha256', Buffer.from(input), key),
): string {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${signWith(input).toString('base64url')}`;
}
const without = (part: Part, name: string): Part =>
  Object.fromEntries(Object.entries(part).filter(([other]) => other !== name));
const claims = (changes: Part): string => forge(goodHeader(), { ...goodClaims(), ...changes });
const header = (changes: Part): string => forge({ ...goodHeader(), ...changes }, goodClaims());

test('a token made as the issuer makes them is taken', async () => {
  const answer = await control.call('GET', '/me', { token: forge(goodHeader(), goodClaims()) });
  expect([answer.status, answer.json?.['name']]).toEqual([200, 'requester']);
});

test('forged tokens of every class are refused, and told nothing', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicText = key.export({ format: 'jwk' }).n ?? '';
  const otherJwk = other.publicKey.export({ format: 'jwk' });
  const good = forge(goodHeader(), goodClaims());
  const [goodHead = '', goodBody = '', goodSignature = ''] = good.split('.');
  const forged: Record<string, string> = {
    empty: 'x',
    'two parts': `${goodHead}.${goodBody}`,
    'no signature': `${goodHead}.${goodBody}.`,
    'cut signature': good.slice(0, -20),
    'flipped signature': `${goodHead}.${goodBody}.${goodSignature.slice(0, -4)}AAAA`,
    'swapped payload': `${goodHead}.${encoded({ ...goodClaims(), oid: clientOf('operator').oid })}.${goodSignature}`,
    'alg none': forge({ ...goodHeader(), alg: 'none' }, goodClaims(), () => Buffer.alloc(0)),
    'alg None': forge({ ...goodHeader(), alg: 'None' }, goodClaims(), () => Buffer.alloc(0)),
    'HS256 with the public key': forge({ ...goodHeader(), alg: 'HS256' }, goodClaims(), (input) =>
      createHmac('sha256', publicText).update(input).digest(),
    ),
    'RS512 by the right key': forge({ ...goodHeader(), alg: 'RS512' }, goodClaims(), (input) =>
      sign('sha512', Buffer.from(input), key),
    ),
    'PS256 by the right key': header({ alg: 'PS256' }),
    'ES256 by another key': forge({ ...goodHeader(), alg: 'ES256' }, goodClaims(), (input) =>
      sign('sha256', Buffer.from(input), { key: elliptic.privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
    'another RSA key': forge(goodHeader(), goodClaims(), (input) =>
      sign('sha256', Buffer.from(input), other.privateKey),
    ),
    'unknown kid': header({ kid: 'unknown' }),
    'no kid': forge(without(goodHeader(), 'kid'), goodClaims()),
    'numeric kid': header({ kid: 7 }),
    'jwk in the header': forge({ ...goodHeader(), jwk: otherJwk }, goodClaims(), (input) =>
      sign('sha256', Buffer.from(input), other.privateKey),
    ),
    'jku in the header': header({ jku: 'http://127.0.0.1:1/keys' }),
    'x5u in the header': header({ x5u: 'http://127.0.0.1:1/keys' }),
    'x5c in the header': header({ x5c: ['MIIB'] }),
    'crit in the header': header({ crit: ['b64'], b64: false }),
    'id token type': header({ typ: 'id+jwt' }),
    'wrong issuer': claims({ iss: 'urn:agent-factory:local:00000000-0000-0000-0000-000000000000' }),
    'issuer with a slash more': claims({ iss: `${issuer.issuer}/` }),
    'no issuer': forge(goodHeader(), without(goodClaims(), 'iss')),
    'wrong audience': claims({ aud: 'another-service' }),
    'audience list with ours': claims({ aud: ['another-service', 'agent-factory'] }),
    'no audience': forge(goodHeader(), without(goodClaims(), 'aud')),
    'wrong tenant': claims({ tid: '11111111-1111-1111-1111-111111111111' }),
    'no tenant': forge(goodHeader(), without(goodClaims(), 'tid')),
    'unknown subject': claims({ oid: '22222222-2222-2222-2222-222222222222' }),
    'no subject': forge(goodHeader(), without(goodClaims(), 'oid')),
    'numeric subject': claims({ oid: 7 }),
    'version 1': claims({ ver: '1.0' }),
    'no version': forge(goodHeader(), without(goodClaims(), 'ver')),
    expired: claims({ exp: now() - 120 }),
    'no expiry': forge(goodHeader(), without(goodClaims(), 'exp')),
    'text expiry': claims({ exp: 'later' }),
    'not yet valid': claims({ nbf: now() + 600 }),
    'issued in the future': claims({ iat: now() + 600 }),
    'issued in the future, in milliseconds': claims({ iat: Date.now() }),
    'authenticated in the future': claims({ auth_time: now() + 600 }),
    'a lifetime of two days': claims({ exp: now() + 2 * 86_400 }),
    'a lifetime of a century': claims({ exp: now() + 3_153_600_000 }),
    'a subject with a space behind': claims({ oid: `${clientOf('requester').oid} ` }),
    'a subject with a space before': claims({ oid: ` ${clientOf('requester').oid}` }),
    'a subject with a line end': claims({ oid: `${clientOf('requester').oid}\n` }),
    'a tenant with a space behind': claims({ tid: 'local ' }),
    'no nbf': forge(goodHeader(), without(goodClaims(), 'nbf')),
    'neither scp nor roles': forge(goodHeader(), without(goodClaims(), 'scp')),
    'both scp and roles': claims({ roles: ['Factory.Work'] }),
    'empty roles': forge(goodHeader(), { ...without(goodClaims(), 'scp'), roles: [] }),
    'id token claims': claims({ nonce: 'n' }),
    "a person's subject with an application's grant": forge(goodHeader(), {
      ...without(goodClaims(), 'scp'),
      roles: ['Factory.Work'],
    }),
    "a worker's subject with a person's grant": claims({ oid: clientOf('station').oid }),
    'claims that are a list': forge(goodHeader(), []),
    'very long': forge(goodHeader(), { ...goodClaims(), padding: 'x'.repeat(10_000) }),
  };
  const accepted: string[] = [];
  const bodies = new Set<string>();
  for (const [name, token] of Object.entries(forged)) {
    const answer = await control.call('GET', '/me', { token });
    if (answer.status !== 401) accepted.push(`${name}: ${answer.status}`);
    bodies.add(answer.text);
  }
  expect(accepted).toEqual([]);
  expect(bodies.size).toBe(1);
  expect(Object.keys(forged).length).toBeGreaterThan(40);
});

test('roles in a token give nothing: they come from the store', async () => {
  const answer = await control.call('GET', '/status', { token: claims({ wids: ['x'], roles_claim: ['operator'] }) });
  expect(answer.status).toBe(403);
});

test('another scheme, and a token in the query, are no identity', async () => {
  const token = await control.token('operator');
  expect((await control.call('GET', '/status', { headers: { authorization: `Basic ${token}` } })).status).toBe(401);
  expect((await control.call('GET', `/status?access_token=${token}`)).status).toBe(401);
  expect(
    (
      await control.call('GET', '/status', {
        headers: { 'x-ms-client-principal': Buffer.from('{"userRoles":["operator"]}').toString('base64') },
      })
    ).status,
  ).toBe(401);
});

test('the local issuer gives no token to a wrong secret, an unknown client or another grant, alike', async () => {
  const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    control.call('POST', '/identity/token', { body: new URLSearchParams(form), headers });
  const form = { grant_type: 'client_credentials', client_id: 'operator', client_secret: 'wrong' };
  const wrong = await ask(form);
  const unknown = await ask({ ...form, client_id: 'nobody' });
  expect([wrong.status, wrong.json]).toEqual([401, { error: 'invalid_client' }]);
  expect([unknown.status, unknown.text]).toEqual([401, wrong.text]);
  expect((await ask({ ...form, grant_type: 'password' })).json).toEqual({ error: 'unsupported_grant_type' });
  expect((await ask({})).status).toBe(400);
  expect((await control.call('POST', '/identity/token', { json: form })).status).toBe(415);
  expect((await ask(form, { origin: 'https://example.org' })).json['code']).toBe('FACTORY-NOT-LOOPBACK');
});
