import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TELEMETRY_SETTINGS, type TelemetrySettings, telemetryOf } from '../../shared/config/telemetry.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import type { EndedSpan, Recorder } from '../../shared/telemetry/recorder.ts';
import { openRecorder } from '../../shared/telemetry/sdk/open-recorder.ts';
import { rotatingFile } from '../../shared/telemetry/sdk/rotating-file.ts';
import { newSpanId, parseTraceparent, requestSpan, traceOfRequest } from '../../shared/telemetry/span-context.ts';
import { traceparentOf } from '../../shared/telemetry/spans.ts';
import { pointsOf, readTelemetry, spansOf } from './otlp-lines.ts';
import { type Receiver, startReceiver, until } from './otlp-receiver.ts';

type Dropped = Readonly<Record<string, string | number>>;
const directory = (): string => mkdtempSync(path.join(tmpdir(), 'telemetry-'));
const shape = z.object(TELEMETRY_SETTINGS);
const settingsOf = (environment: Record<string, string>): TelemetrySettings | undefined =>
  telemetryOf(shape.parse(environment));
const span = (request: string, more: Partial<EndedSpan> = {}): EndedSpan => ({
  name: 'work',
  kind: 'internal',
  context: { traceId: traceOfRequest(request), spanId: newSpanId() },
  parent: requestSpan(request),
  links: [],
  startedAt: 1_700_000_000_000.25,
  endedAt: 1_700_000_000_001.5,
  attributes: { 'factory.request': request },
  failure: undefined,
  ...more,
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function receiver(manner?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const started = await startReceiver(manner);
  closing.push(() => started.close());
  return started;
}

async function opened(environment: Record<string, string>, dropped: Dropped[] = []): Promise<Recorder> {
  const to = await openRecorder('control', settingsOf(environment)!, (fields) => dropped.push(fields));
  closing.push(() => to.stop());
  return to;
}

describe('what is recorded', () => {
  test('reaches an OTLP endpoint and a file alike: spans with parents, links and failures; metrics with their dimensions', async () => {
    const to = await receiver();
    const files = directory();
    const recorder = await opened({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${to.endpoint}/`,
      FACTORY_TELEMETRY_FILE: path.join(files, '{role}.jsonl'),
      OTEL_METRIC_EXPORT_INTERVAL: '60000',
    });
    const link = requestSpan('req_other');
    recorder.span(span('req_1', { kind: 'producer', links: [link], failure: 'FACTORY-LEASE-LOST' }));
    recorder.count('factory.requests.ended', { state: 'NO_OP', application: 'app_1' });
    recorder.count('factory.requests.ended', { state: 'NO_OP', application: 'app_1' });
    recorder.gauge('factory.queue.age', [{ value: 1.5, dimensions: { pool: 'plan' } }]);
    await recorder.stop();
    expect(readdirSync(files)).toEqual(['control.jsonl']);
    for (const messages of [to.messages, readTelemetry(files).messages]) {
      expect(spansOf(messages)).toMatchObject([
        {
          role: 'control',
          name: 'work',
          kind: 4,
          traceId: traceOfRequest('req_1'),
          parentSpanId: requestSpan('req_1').spanId,
          links: [link],
          attributes: { 'factory.request': 'req_1', 'error.type': 'FACTORY-LEASE-LOST' },
          status: { code: 2 },
          startTimeUnixNano: '1700000000000250000',
          endTimeUnixNano: '1700000000001500000',
        },
      ]);
      const points = pointsOf(messages);
      expect(points).toContainEqual({
        metric: 'factory.requests.ended',
        role: 'control',
        value: 2,
        dimensions: { state: 'NO_OP', application: 'app_1' },
      });
      expect(points).toContainEqual({
        metric: 'factory.queue.age',
        role: 'control',
        value: 1.5,
        dimensions: { pool: 'plan' },
      });
    }
  });

  test('a value that is too long is cut', async () => {
    const to = await receiver();
    const recorder = await opened({ OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint });
    recorder.span(span('req_1', { attributes: { long: 'x'.repeat(10_000) } }));
    await recorder.stop();
    expect(spansOf(to.messages)[0]!.attributes['long']).toHaveLength(LIMITS.telemetry.valueLength);
  });

  test('a gauge that is read no more is not repeated', async () => {
    const to = await receiver();
    const recorder = await opened({ OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint, OTEL_METRIC_EXPORT_INTERVAL: '100' });
    recorder.gauge('factory.queue.age', [{ value: 1, dimensions: { pool: 'plan' } }]);
    await until(() => pointsOf(to.messages).length > 0, 'the gauge');
    recorder.count('factory.lease.expiries', { pool: 'plan' });
    await until(() => {
      const last = to.messages.slice(-1);
      return pointsOf(last).every(({ metric }) => metric === 'factory.lease.expiries') && pointsOf(last).length === 1;
    }, 'an export without it');
  });
});

describe('a destination that does not take it', () => {
  test('never answers: at most the limit is held, and what is dropped is counted', async () => {
    const to = await receiver('holds');
    const dropped: Dropped[] = [];
    const recorder = await opened({ OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint }, dropped);
    for (let at = 0; at < LIMITS.telemetry.spans + 1_000; at += 1) recorder.span(span('req_1'));
    await until(() => dropped.length > 0, 'a word about it');
    expect(dropped).toEqual([{ destination: 'otlp', signal: 'spans', queue_full: 1_000, export_failed: 0 }]);
    to.behave('takes');
  });

  test('refuses: the loss is counted, and what comes later arrives', async () => {
    const to = await receiver('refuses');
    const dropped: Dropped[] = [];
    const recorder = await opened({ OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint }, dropped);
    for (let at = 0; at < 3; at += 1) recorder.span(span('req_1'));
    await until(() => dropped.length > 0, 'a word about it');
    expect(dropped).toEqual([{ destination: 'otlp', signal: 'spans', queue_full: 0, export_failed: 3 }]);
    to.behave('takes');
    recorder.span(span('req_2'));
    await recorder.stop();
    expect(spansOf(to.messages).map(({ traceId }) => traceId)).toEqual([traceOfRequest('req_2')]);
  });

  test('a file that can not be written is counted too', async () => {
    const dropped: Dropped[] = [];
    const name = path.join(directory(), 'absent', '{role}.jsonl');
    const recorder = await opened({ FACTORY_TELEMETRY_FILE: name }, dropped);
    recorder.span(span('req_1'));
    await recorder.stop();
    expect(dropped).toContainEqual({ destination: 'file', signal: 'spans', queue_full: 0, export_failed: 1 });
  });

  test('one that is away takes nothing from another', async () => {
    const to = await receiver('holds');
    const files = directory();
    const recorder = await opened({
      OTEL_EXPORTER_OTLP_ENDPOINT: to.endpoint,
      FACTORY_TELEMETRY_FILE: path.join(files, '{role}.jsonl'),
    });
    recorder.span(span('req_1'));
    await until(() => to.held() > 0 && spansOf(readTelemetry(files).messages).length === 1, 'the span in the file');
    to.behave('takes');
  });
});

test('a ratio keeps the same traces in every process', async () => {
  const environment = {
    FACTORY_TELEMETRY_FILE: path.join(directory(), '{role}'),
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
  };
  const [one, other] = [await opened(environment), await opened(environment)];
  const traces = Array.from({ length: 200 }, (_, at) => traceOfRequest(`req_${at}`));
  const kept = traces.filter((trace) => one.sampled(trace));
  expect(kept).toEqual(traces.filter((trace) => other.sampled(trace)));
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.length).toBeLessThan(150);
});

test('telemetry is off unless a destination is named, and when the standard switch says so', () => {
  expect(settingsOf({})).toBeUndefined();
  expect(settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(shape.safeParse({ FACTORY_TELEMETRY_FILE: '/somewhere/one-file' }).success).toBe(false);
  expect(shape.safeParse({ APPLICATIONINSIGHTS_CONNECTION_STRING: 'Endpoint=elsewhere' }).success).toBe(false);
});

test('a traceparent that is none is no parent', () => {
  const context = requestSpan('req_1');
  expect(parseTraceparent(traceparentOf(context))).toEqual(context);
  for (const wrong of [
    undefined,
    7,
    '',
    `01-${context.traceId}-${context.spanId}-01`,
    `00-${'0'.repeat(32)}-${context.spanId}-01`,
    `00-${context.traceId}-${'0'.repeat(16)}-01`,
    `00-${context.traceId.toUpperCase()}-${context.spanId}-01\n`,
  ])
    expect(parseTraceparent(wrong), String(wrong)).toBeUndefined();
});

test('a file never grows past its bound, and old ones go', async () => {
  const files = directory();
  const file = rotatingFile(path.join(files, 'lines'), { bytes: 1_000, kept: 2 });
  for (let at = 0; at < 100; at += 1) await file.append(`${String(at).padStart(99, '0')}\n`);
  expect(readdirSync(files).sort()).toEqual(['lines', 'lines.1', 'lines.2']);
  for (const name of readdirSync(files)) expect(statSync(path.join(files, name)).size).toBeLessThanOrEqual(1_000);
  expect(readFileSync(path.join(files, 'lines'), 'utf8')).toContain(`${'99'.padStart(99, '0')}\n`);
});
