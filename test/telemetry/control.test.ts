import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { requestSpan, traceOfRequest } from '../../shared/telemetry/span-context.ts';
import { claimNext, complete, expectStatus, installBench, lease, submit } from '../http/bench-line.ts';
import { type ControlProcess, startControl } from '../http/control-process.ts';
import { pointsOf, readTelemetry, spansOf } from './otlp-lines.ts';
import { startReceiver, until } from './otlp-receiver.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function control(environment: Record<string, string>): Promise<ControlProcess> {
  const started = await startControl({ OTEL_METRIC_EXPORT_INTERVAL: '300', ...environment });
  closing.push(() => started.stop());
  return started;
}

test('a collector that never answers holds up no call, and gets the spans when it does', async () => {
  const receiver = await startReceiver('holds');
  closing.push(() => receiver.close());
  const plane = await control({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const application = await installBench(plane);
  await until(() => receiver.held() > 0, 'an export that hangs');
  // The collector's own patience would end these only after ten seconds each; they are answered while it hangs.
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1)
    ids.push(String(expectStatus(await submit(plane, application, `held-${at}`), 202)['id']));
  expect(receiver.held()).toBeGreaterThan(0);
  receiver.behave('takes');
  await until(
    () => ids.every((id) => spansOf(receiver.messages).some(({ traceId }) => traceId === traceOfRequest(id))),
    'the traces of the requests',
  );
});

test('a trace goes on where it was after a worker was lost and control was killed; both facts are counted', async () => {
  const files = mkdtempSync(path.join(tmpdir(), 'telemetry-'));
  const plane = await control({
    FACTORY_TELEMETRY_FILE: path.join(files, '{role}.jsonl'),
    FACTORY_LEASE_SECONDS: '1',
  });
  const read = () => readTelemetry(files).messages;
  const application = await installBench(plane);
  const caller = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) };
  const request = String(expectStatus(await submit(plane, application, 'lost'), 202)['id']);
  const spans = () => spansOf(read()).filter(({ traceId }) => traceId === traceOfRequest(request));
  await until(
    () =>
      pointsOf(read()).some(
        ({ metric, value, dimensions }) => metric === 'factory.queue.age' && dimensions['pool'] === 'plan' && value > 0,
      ),
    'the age of the queue',
  );
  const first = await claimNext(plane, 'station', 'plan', 'claim-lost-1');
  expect(first['request']).toBe(request);
  expect(first['traceparent']).toBe(`00-${traceOfRequest(request)}-${requestSpan(request).spanId}-01`);
  // Nobody renews it: it expires, and the sweep counts it.
  await until(
    () =>
      pointsOf(read()).some(
        ({ metric, dimensions }) => metric === 'factory.lease.expiries' && dimensions['pool'] === 'plan',
      ),
    'the lease that expired',
  );
  await plane.restart();
  const second = await claimNext(plane, 'station', 'plan', 'claim-lost-2');
  expect(second['job']).toBe(first['job']);
  const failed = await plane.call('POST', `/jobs/${second['job']}/fail`, {
    as: 'station',
    headers: { ...lease(second), traceparent: `00-${caller.traceId}-${caller.spanId}-01` },
    json: {
      failure: { kind: 'retryable', class: 'environment', code: 'NO-DISK', message: 'there was no room' },
      outputs: [],
    },
  });
  expectStatus(failed, 200);
  await until(
    () =>
      pointsOf(read()).some(
        ({ metric, dimensions }) =>
          metric === 'factory.jobs.failed' &&
          dimensions['class'] === 'environment' &&
          dimensions['pool'] === 'plan' &&
          /\/environment\/NO-DISK\//.test(String(dimensions['signature'])),
      ),
    'the failure',
  );
  await until(() => spans().filter(({ name }) => name === 'job.claim').length === 2, 'both claims in the trace');
  // What a worker says of its own span is believed, and a person's word is only linked.
  const reported = spansOf(read()).find(({ name }) => name === 'POST /api/v1/jobs/{job}/fail');
  expect([reported?.traceId, reported?.parentSpanId]).toEqual([caller.traceId, caller.spanId]);
});

test('an open gate has an age, and a caller’s trace is linked and not joined', async () => {
  const files = mkdtempSync(path.join(tmpdir(), 'telemetry-'));
  const plane = await control({ FACTORY_TELEMETRY_FILE: path.join(files, '{role}.jsonl') });
  const read = () => readTelemetry(files).messages;
  const application = await installBench(plane);
  const request = String(expectStatus(await submit(plane, application, 'gate'), 202)['id']);
  const claim = await claimNext(plane, 'station', 'plan', 'claim-gate-1');
  const facts = { paths: ['src/a.js'], pathCount: 1 };
  expectStatus(await complete(plane, 'station', claim, { verdict: 'ok', facts }), 200);
  await until(
    () =>
      pointsOf(read()).some(
        ({ metric, dimensions, value }) =>
          metric === 'factory.gate.age' && dimensions['application'] === application && value > 0,
      ),
    'the age of the gate',
  );
  const trace = 'e'.repeat(32);
  const cancelled = await plane.call('POST', `/requests/${request}/cancel`, {
    as: 'requester',
    headers: { traceparent: `00-${trace}-${'f'.repeat(16)}-01` },
    json: { reason: 'no more' },
  });
  expect(cancelled.status).toBeLessThan(300);
  await until(
    () => spansOf(read()).some(({ name, traceId }) => name === 'request' && traceId === traceOfRequest(request)),
    'the request’s own span',
  );
  const call = spansOf(read()).find(({ name }) => name === 'POST /api/v1/requests/{request}/cancel')!;
  expect(call.traceId).toBe(traceOfRequest(request));
  expect(call.links).toContainEqual({ traceId: trace, spanId: 'f'.repeat(16) });
  expect(spansOf(read()).some(({ traceId }) => traceId === trace)).toBe(false);
  const root = spansOf(read()).find(({ name, traceId }) => name === 'request' && traceId === traceOfRequest(request))!;
  expect(root.attributes).toMatchObject({ 'factory.state': 'CANCELLED', 'factory.application': application });
});
