import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENTS } from '../../shared/telemetry/events.ts';
import { METRICS } from '../../shared/telemetry/metrics.ts';
import { traceOfRequest } from '../../shared/telemetry/span-context.ts';
import { code, document, filesBelow, section, tableRows } from '../docs/documents.ts';

const text = document('telemetry.md');

test('the metrics are those that are emitted, with their units and dimensions', () => {
  const documented = tableRows(section(text, '## Metrics')).map(([name, kind, unit, dimensions = '', what]) => [
    code(name),
    {
      kind,
      unit: code(unit),
      dimensions: [...dimensions.matchAll(/`(\w+)`/g)].map(([, found]) => found),
      description: what,
    },
  ]);
  expect(Object.fromEntries(documented)).toEqual(METRICS);
});

test('the events are those that are logged', () => {
  const documented = tableRows(section(text, '## Events')).map(([name, level, words]) => [
    code(name),
    { level, words },
  ]);
  expect(Object.fromEntries(documented)).toEqual(EVENTS);
});

test('every event is logged by some code, and every metric recorded by some', () => {
  const sources = ['shared', 'functions', 'container']
    .flatMap((folder) => filesBelow(folder, '.ts'))
    .filter((file) => !/telemetry\/(events|metrics)\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  for (const name of [...Object.keys(EVENTS), ...Object.keys(METRICS)]) expect(sources).toContain(`'${name}'`);
});

test('the trace of a request is found as the page says', () => {
  const [, script = ''] = /node -e '(.*)' req_…/.exec(text)!;
  expect(execFileSync(process.execPath, ['-e', script, 'req_1'], { encoding: 'utf8' }).trim()).toBe(
    traceOfRequest('req_1'),
  );
});
