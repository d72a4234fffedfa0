import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Where telemetry of a process goes. */
export type Destination = {
  /** What losses on the way to it are told under. */
  readonly name: string;
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
};
