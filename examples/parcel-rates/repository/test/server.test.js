import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createService } from '../src/server.js';

const directory = mkdtempSync(join(tmpdir(), 'parcel-'));
const socketPath = join(directory, 'service.sock');
const service = createService();

before(async () => {
  service.listen(socketPath);
  await once(service, 'listening');
});
after(() => {
  service.close();
  rmSync(directory, { recursive: true });
});

async function call(method, path, body) {
  const sent = request({ socketPath, method, path });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) };
}

test('health answers', async () => {
  assert.deepEqual(await call('GET', '/health'), { status: 200, body: { ok: true } });
});

test('a quote is priced over HTTP', async () => {
  const { status, body } = await call('POST', '/quotes', { grams: 800, zone: 'world' });
  assert.equal(status, 200);
  assert.equal(body.currency, 'EUR');
});

test('what can\'t be sent is the caller\'s fault', async () => {
  assert.equal((await call('POST', '/quotes', { grams: 0, zone: 'world' })).status, 400);
  assert.equal((await call('GET', '/nothing')).status, 404);
});
