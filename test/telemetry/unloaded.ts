import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Starts telemetry as the environment says and prints which of its libraries are loaded. Argument: `worker` or `control`, whose code is loaded before. */
const [role] = process.argv.slice(2);
const { telemetryOf, TELEMETRY_SETTINGS } = await import('../../shared/config/telemetry.ts');
const { startTelemetry, stopTelemetry } = await import('../../shared/telemetry/start.ts');
const { z } = await import('zod');
if (role === 'worker') {
  await import('../../shared/worker/start.ts');
  await import('../../shared/stations/handlers.ts');
} else {
  await import('../../shared/plane/run.ts');
  await import('../../shared/plane/sweep.ts');
  await import('../../shared/plane/gauges.ts');
}
const file = process.env['FACTORY_TELEMETRY_FILE'] ?? path.join(tmpdir(), '{role}.jsonl');
const environment = process.env['FACTORY_TELEMETRY_FILE'] === undefined ? {} : { FACTORY_TELEMETRY_FILE: file };
await startTelemetry('control', telemetryOf(z.object(TELEMETRY_SETTINGS).parse(environment)), () => undefined);
const loaded = Object.keys(createRequire(import.meta.url).cache).flatMap(
  (name) => /node_modules\/(@opentelemetry\/[^/]+|@azure\/monitor[^/]+)/.exec(name)?.[1] ?? [],
);
process.stdout.write(JSON.stringify([...new Set(loaded)].sort()));
await stopTelemetry();
