import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { childrenOf } from '../../scripts/torture/plane/proc.ts';
import { openWorkerClient, patience, proofOf } from '../../scripts/torture/traffic/worker-client.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import { claimNext, complete, expectStatus, installBench, submit } from './bench-line.ts';
import { type ControlProcess, startControl } from './control-process.ts';

const MiB = 1024 * 1024;
const SIZE = 48 * MiB;
const READERS = 8;
/** Of all that the readers were promised; unread bodies that are kept would be all of it. */
const MAY_BE_HELD = (READERS * SIZE) / 3;

let control: ControlProcess;
const bytes = randomBytes(SIZE);
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

beforeAll(async () => {
  control = await startControl();
  const application = await installBench(control);
  expectStatus(await submit(control, application, 'slow'), 202);
  const claim = await claimNext(control, 'station', 'plan', 'slow-plan');
  const client = await openWorkerClient({
    ...{ planeDirectory: control.dataDirectory, controlUrl: control.url, identity: 'station' },
  });
  const upload = { kind: 'log', mediaType: 'application/octet-stream', content: { bytes } } as const;
  await client.upload(proofOf(claim as unknown as ClaimAnswer), upload, patience(client));
  client.close();
  const facts = { paths: ['src/a.js'], pathCount: 1 };
  const outputs = [{ name: 'log', kind: 'log', digest }];
  expectStatus(await complete(control, 'station', claim, { verdict: 'ok', facts }, outputs), 200);
});
afterAll(() => control.stop());

/** Resident memory of the app of control, in bytes (proc(5)). */
function held(): number {
  const app = childrenOf(control.pid)[0];
  if (app === undefined) throw new Error('control has no app');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${app}/status`, 'utf8'))?.[1]) * 1024;
}

/** Often enough for the host, which cuts off who takes nothing for seconds. */
const SIP_EVERY_MS = 300;
const SIP_BYTES = 64 * 1024;

/** An answer that has begun and of which nothing is read yet. */
async function begun(token: string): Promise<IncomingMessage> {
  const sent = get(`${control.url}/api/v1/artifacts/${digest}`, { headers: { authorization: `Bearer ${token}` } });
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  return answer.pause();
}

test('artifacts are read no faster than their readers take them, and come whole in the end', async () => {
  const token = await control.token('requester');
  const before = held();
  const answers = await Promise.all(Array.from({ length: READERS }, () => begun(token)));
  const sipped: Buffer[] = [];
  const sipping = setInterval(() => {
    for (const [index, answer] of answers.entries()) {
      const sip = answer.read(SIP_BYTES) as Buffer | null;
      if (index === 0 && sip !== null) sipped.push(sip);
    }
  }, SIP_EVERY_MS);
  // Time enough for control to have read all of it, had it: others read it whole meanwhile.
  for (let round = 0; round < 3; round += 1) {
    const whole = await begun(token);
    const hash = createHash('sha256');
    for await (const chunk of whole) hash.update(chunk as Buffer);
    expect(`sha256:${hash.digest('hex')}`).toBe(digest);
  }
  expect(held() - before).toBeLessThan(MAY_BE_HELD);
  const [first, ...others] = answers;
  clearInterval(sipping);
  // One reads on and gets the rest; the others hang up, and control goes on.
  const hash = createHash('sha256');
  for (const sip of sipped) hash.update(sip);
  for await (const chunk of first!) hash.update(chunk as Buffer);
  expect(`sha256:${hash.digest('hex')}`).toBe(digest);
  for (const answer of others) answer.destroy();
  await vi.waitFor(async () => expectStatus(await control.call('GET', '/health'), 200), 240_000);
});
