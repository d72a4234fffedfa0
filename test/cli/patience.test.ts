import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ApiProblem } from '../../cli/api/api-problem.ts';
import { patiently, silenceOf } from '../../cli/api/patience.ts';

/** A call of a server that drops its first two connections without a word. */
async function dropped(options: { repeatable: boolean; runs: boolean }): Promise<{ calls: number; answer: unknown }> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    if (calls < 3) request.socket.destroy();
    else response.end('answered');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await patiently(async () => await (await fetch(`http://127.0.0.1:${port}`)).text(), {
    repeatable: options.repeatable,
    runs: () => options.runs,
  }).catch(silenceOf);
  server.close();
  return { calls, answer };
}

test('a call that is safe to repeat is repeated while the plane runs', async () => {
  expect(await dropped({ repeatable: true, runs: true })).toEqual({ calls: 3, answer: 'answered' });
});

test('a call that may have had its effect is not repeated', async () => {
  expect(await dropped({ repeatable: false, runs: true })).toEqual({ calls: 1, answer: 'lost' });
});

test('nothing is waited for when no plane runs', async () => {
  expect(await dropped({ repeatable: true, runs: false })).toEqual({ calls: 1, answer: 'lost' });
});

test('any call is repeated until somebody listens, and while the plane says "not now"', async () => {
  const listener: RequestListener = (_, response) => response.end('answered');
  const first = createServer(listener);
  await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
  const { port } = first.address() as AddressInfo;
  await new Promise((resolve) => first.close(resolve));
  const seen: unknown[] = [];
  const second = createServer(listener);
  const answer = await patiently(
    async () => {
      try {
        if (seen.length === 2) throw new ApiProblem(503, 'FACTORY-NOT-READY', 'starting', []);
        return await (await fetch(`http://127.0.0.1:${port}`)).text();
      } catch (error) {
        seen.push(silenceOf(error));
        if (seen.length === 2) await new Promise<void>((resolve) => second.listen(port, '127.0.0.1', resolve));
        throw error;
      }
    },
    { repeatable: false, runs: () => true },
  );
  second.close();
  expect({ seen, answer }).toEqual({ seen: ['refused', 'refused', 'not_ready'], answer: 'answered' });
});

test('a refusal by the plane is no silence', () => {
  expect(silenceOf(new ApiProblem(409, 'FACTORY-CONFLICT', 'no', []))).toBeUndefined();
  expect(silenceOf(new Error('a fault of this program'))).toBeUndefined();
});
