import type { TelemetrySettings } from '../config/telemetry.ts';
import { record, recorder } from './recorder.ts';

/**
 * Turns telemetry on for this process when the settings name a destination; the libraries that send it are loaded then and not before. A process that
 * serves several roles has one recorder, of the first. `tellDropped` is told of spans and metrics that were lost.
 */
export async function startTelemetry(
  role: string,
  settings: TelemetrySettings | undefined,
  tellDropped: (fields: Readonly<Record<string, string | number>>) => void,
): Promise<void> {
  if (settings === undefined || recorder() !== undefined) return;
  const { openRecorder } = await import('./sdk/open-recorder.ts');
  record(await openRecorder(role, settings, tellDropped));
}

/** Sends what is left, for `LIMITS.telemetry.stopMs` at most, and turns telemetry off. */
export async function stopTelemetry(): Promise<void> {
  const to = recorder();
  record(undefined);
  await to?.stop();
}
