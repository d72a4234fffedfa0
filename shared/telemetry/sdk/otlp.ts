import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Destination } from './destination.ts';

/** An OTLP/HTTP endpoint, in JSON. Its headers and time limit are the exporter's own settings (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT`). */
export function otlpDestination(endpoint: string): Destination {
  const base = endpoint.replace(/\/+$/, '');
  return {
    name: 'otlp',
    spans: new OTLPTraceExporter({ url: `${base}/v1/traces` }),
    metrics: new OTLPMetricExporter({ url: `${base}/v1/metrics` }),
  };
}
