import {
  type AzureMonitorExporterOptions,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { managedIdentity } from '../../azure/credential.ts';
import type { Destination } from './destination.ts';

/**
 * Application Insights. With an identity its tokens are sent too, as a resource without local authentication wants them. Nothing that could not be sent is kept on
 * disk, and the exporter's reports about itself to the vendor are off: a closed network would only see them fail.
 */
export function applicationInsights(connectionString: string, clientId: string | undefined): Destination {
  for (const name of OWN_REPORTS) process.env[name] ??= 'true';
  const options: AzureMonitorExporterOptions = {
    connectionString,
    disableOfflineStorage: true,
    ...(clientId === undefined ? {} : { credential: managedIdentity(clientId) }),
  };
  const spans = new AzureMonitorTraceExporter(options);
  return {
    name: 'application-insights',
    // Under the Functions host each invocation is a request in Application Insights already; ours would count it twice.
    spans: process.env['WEBSITE_INSTANCE_ID'] === undefined ? spans : withoutRequests(spans),
    metrics: new AzureMonitorMetricExporter(options),
  };
}

const OWN_REPORTS = [
  'APPLICATION_INSIGHTS_NO_STATSBEAT',
  'APPLICATIONINSIGHTS_STATSBEAT_DISABLED',
  'APPLICATIONINSIGHTS_SDKSTATS_DISABLED',
];
const REQUESTS: readonly SpanKind[] = [SpanKind.SERVER, SpanKind.CONSUMER];

/** Spans that would be shown as requests become dependencies within the process. */
function withoutRequests(exporter: SpanExporter): SpanExporter {
  const inner = (span: ReadableSpan): ReadableSpan =>
    REQUESTS.includes(span.kind) ? { ...span, kind: SpanKind.INTERNAL } : span;
  return {
    export: (spans, done) => exporter.export(spans.map(inner), done),
    shutdown: () => exporter.shutdown(),
  };
}
