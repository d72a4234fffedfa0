import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeExampleRepository } from '../../examples/make-repository.ts';
import { requestSpan, traceOfRequest } from '../../shared/telemetry/span-context.ts';
import { alive, factory, temporary, type Up, up } from '../cli/factory-process.ts';
import { type Point, pointsOf, readTelemetry, type Span, spansOf } from './otlp-lines.ts';

/** A whole plane that writes its telemetry to files: broker, control and every worker, each a process. */
const data = temporary();
const place = temporary();
const telemetry = path.join(place, 'telemetry');
const CANARY = 'canary-8f2d61c4';
let plane: Up;
let request: string;
let text: string;
let spans: Span[];
let points: Point[];

beforeAll(async () => {
  mkdirSync(telemetry);
  process.env['FACTORY_TELEMETRY_FILE'] = path.join(telemetry, '{role}.jsonl');
  process.env['OTEL_METRIC_EXPORT_INTERVAL'] = '500';
  const repository = (await makeExampleRepository(place)).path;
  const declaration = path.join(place, 'application.yaml');
  const packet = path.join(place, 'packet.yaml');
  const example = (name: string): string => readFileSync(`examples/parcel-rates/${name}.yaml`, 'utf8');
  writeFileSync(declaration, `${example('application')}\nsandbox: { allowProcess: true }\n`);
  writeFileSync(packet, example('packets/fix-rounding').replace(/^goal: .*$/m, `goal: Round half a cent, ${CANARY}`));
  plane = await up(data, '--sandbox', 'process');
  const run = await factory([
    ...['--data', data, 'run', packet, '--repository', repository, '--declaration', declaration, '--yes'],
  ]);
  if (run.code !== 0) throw new Error(run.out + run.err);
  expect(run.out).toContain(CANARY);
  request = /req_[0-9a-z]+/.exec(run.out)![0];
  await plane.end('SIGTERM');
  const read = readTelemetry(telemetry);
  text = read.text;
  points = pointsOf(read.messages);
  spans = spansOf(read.messages).filter(({ traceId }) => traceId === traceOfRequest(request));
});
afterAll(async () => {
  delete process.env['FACTORY_TELEMETRY_FILE'];
  delete process.env['OTEL_METRIC_EXPORT_INTERVAL'];
  if (plane !== undefined && alive(plane.pid)) await plane.end('SIGTERM');
});

const named = (name: string): Span[] => spans.filter((span) => span.name === name);
const parentOf = (span: Span): Span | undefined => spans.find(({ spanId }) => spanId === span.parentSpanId);
/** Names from a span up to the request. */
function line(span: Span | undefined): string[] {
  return span === undefined ? [] : [`${span.role} ${span.name}`, ...line(parentOf(span))];
}

describe('a request', () => {
  test('is one trace through every role, and every span but its own has its parent there', () => {
    expect(new Set(spans.map(({ role }) => role))).toEqual(new Set(['control', 'station', 'verifier', 'effector']));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const roots = spans.filter((span) => parentOf(span) === undefined);
    expect(roots.map(({ name, spanId }) => [name, spanId])).toEqual([['request', requestSpan(request).spanId]]);
    expect(roots[0]!.attributes).toMatchObject({ 'factory.request': request, 'factory.state': 'PR_READY' });
  });

  test('goes from the call over the outbox to the queue, and its hint is linked by the attempt that came of it', () => {
    const [sent] = named('send fetch');
    expect(line(sent)).toEqual([
      'control send fetch',
      'control request.submit',
      'control POST /api/v1/requests',
      'control request',
    ]);
    const sends = spans.filter(({ name }) => name.startsWith('send '));
    const attempts = spans.filter(({ name }) => name.startsWith('process '));
    expect(attempts.map(({ name }) => name).sort()).toEqual([
      'process build',
      'process effect',
      'process fetch',
      'process plan',
      'process verify',
      'process verify',
    ]);
    expect(attempts.every((attempt) => parentOf(attempt)!.name === 'request')).toBe(true);
    const linked = attempts.flatMap(({ links }) => links.map(({ spanId }) => spanId));
    expect(linked.length).toBeGreaterThan(0);
    for (const id of linked) expect(sends.map(({ spanId }) => spanId)).toContain(id);
  });

  test('goes on in the worker: sandbox, upload and report, and from the report in control', () => {
    expect(line(named('sandbox')[0])).toEqual(['verifier sandbox', 'verifier process verify', 'control request']);
    expect(named('sandbox')[0]!.attributes).toMatchObject({ 'factory.sandbox': 'process' });
    const reported = named('job.complete').find((span) => line(span).includes('effector process effect'));
    expect(line(reported)).toEqual([
      'control job.complete',
      'control POST /api/v1/jobs/{job}/complete',
      'effector POST /api/v1/jobs/{id}/complete',
      'effector worker.complete',
      'effector process effect',
      'control request',
    ]);
    const uploaded = named('artifact.write')
      .map(line)
      .find((names) => names.includes('effector worker.upload'));
    expect(uploaded).toContain('control PUT /api/v1/jobs/{job}/uploads/{upload}');
  });

  test('ends with its effects, its seal and the nudge of its orchestrator', () => {
    expect(line(named('effect.push')[0])).toEqual([
      'effector effect.push',
      'effector process effect',
      'control request',
    ]);
    expect(line(named('nudge orchestration').at(-1)).slice(0, 3)).toEqual([
      'control nudge orchestration',
      'control seal.bundle',
      'control seal evidence_bundle',
    ]);
  });

  test('renewals and reads leave no span', () => {
    expect(spans.filter(({ name }) => name.includes('renew') || name === 'GET /api/v1/requests/{request}')).toEqual([]);
  });

  test('is counted once, and the pools are measured', () => {
    const ended = points.filter(
      ({ metric, dimensions }) => metric === 'factory.requests.ended' && dimensions['state'] === 'PR_READY',
    );
    expect(Math.max(...ended.map(({ value }) => value))).toBe(1);
    expect(ended[0]!.dimensions['application']).toMatch(/^app_/);
    const pools = points
      .filter(({ metric }) => metric === 'factory.queue.age')
      .map(({ dimensions }) => dimensions['pool']);
    expect(new Set(pools)).toEqual(new Set(['plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect']));
    const gates = points.filter(({ metric }) => metric === 'factory.gate.age');
    for (const { value, dimensions } of gates) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(dimensions['application']).toMatch(/^app_/);
    }
  });
});

test('nothing of the packet, of a credential or of this machine’s paths is in it', () => {
  expect(text.length).toBeGreaterThan(10_000);
  const identities = path.join(data, 'plane', 'identity');
  const secrets = readdirSync(identities, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(identities, name))
    .filter((file) => existsSync(file) && file.endsWith('.json'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/"clientSecret": ?"([^"]+)"/g)].map(([, secret]) => secret!),
    );
  expect(secrets.length).toBeGreaterThan(3);
  for (const secret of [...secrets, CANARY, 'Bearer ', place, data, 'SharedAccessKey'])
    expect(text.includes(secret), secret.slice(0, 12)).toBe(false);
  // A lease token is what the header of that name carries.
  expect(text).not.toMatch(/lease[-_]?token|factory-lease/i);
});
