import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { recorder } from '../../shared/telemetry/recorder.ts';
import { requestSpan } from '../../shared/telemetry/span-context.ts';
import { activeSpan, traced } from '../../shared/telemetry/spans.ts';

async function loadedBy(role: string, environment: Record<string, string> = {}): Promise<string[]> {
  const program = path.join(import.meta.dirname, 'unloaded.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, role], {
    env: { PATH: process.env['PATH'], ...environment },
  });
  return JSON.parse(stdout) as string[];
}

test.each(['worker', 'control'])('a %s that sends none loads no library for telemetry', async (role) => {
  expect(await loadedBy(role)).toEqual([]);
});

test('one that writes a file loads neither a collector’s library nor Azure’s', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'telemetry-')), '{role}.jsonl');
  const loaded = await loadedBy('control', { FACTORY_TELEMETRY_FILE: file });
  expect(loaded).toContain('@opentelemetry/sdk-metrics');
  expect(loaded.filter((name) => /otlp-http|@azure/.test(name))).toEqual([]);
});

test('a step that would be a span runs as it is', async () => {
  expect(recorder()).toBeUndefined();
  const seen = await traced({ name: 'work', kind: 'internal', parent: requestSpan('req_1') }, async (span) => [
    span,
    activeSpan(),
  ]);
  expect(seen).toEqual([undefined, undefined]);
});
