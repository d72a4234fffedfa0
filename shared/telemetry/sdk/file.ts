import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { LIMITS } from '../../domain/limits.ts';
import type { Destination } from './destination.ts';
import { otlpMetrics, otlpTraces } from './otlp-json.ts';
import { rotatingFile } from './rotating-file.ts';

/** A file of JSON lines, each an OTLP message as a collector reads it (OpenTelemetry Protocol File Exporter), bounded by rotation. */
export function fileDestination(name: string): Destination {
  const file = rotatingFile(name, { bytes: LIMITS.telemetry.fileBytes, kept: LIMITS.telemetry.files - 1 });
  const write = (message: object, done: (result: ExportResult) => void): void => {
    file.append(`${JSON.stringify(message)}\n`).then(
      () => done({ code: ExportResultCode.SUCCESS }),
      (error: Error) => done({ code: ExportResultCode.FAILED, error }),
    );
  };
  const settled = { forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
  return {
    name: 'file',
    spans: { export: (spans, done) => write(otlpTraces(spans), done), ...settled },
    metrics: { export: (metrics, done) => write(otlpMetrics(metrics), done), ...settled },
  };
}
