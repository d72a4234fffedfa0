import type { Attributes, HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** OTLP in its JSON encoding (OpenTelemetry Protocol 1.9 §JSON Protobuf Encoding): ids in hexadecimal, 64-bit numbers as text, enums as numbers. */

const nanoseconds = ([seconds, rest]: HrTime): string => String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));

const keyValues = (attributes: Attributes): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: Attributes[string]): object {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { stringValue: String(value) };
}

const resourceOf = ({ attributes }: Resource): object => ({ attributes: keyValues(attributes as Attributes) });

/** Spans of one process as one `TracesData`. */
export function otlpTraces(spans: readonly ReadableSpan[]): object {
  const [first] = spans;
  if (first === undefined) return { resourceSpans: [] };
  const scopeSpans = [{ scope: { name: first.instrumentationScope.name }, spans: spans.map(otlpSpan) }];
  return { resourceSpans: [{ resource: resourceOf(first.resource), scopeSpans }] };
}

function otlpSpan(span: ReadableSpan): object {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceId,
    spanId,
    ...(span.parentSpanContext === undefined ? {} : { parentSpanId: span.parentSpanContext.spanId }),
    flags: traceFlags,
    name: span.name,
    // The numbers of the protocol start at 1, at INTERNAL, where the library's start at 0.
    kind: span.kind + 1,
    startTimeUnixNano: nanoseconds(span.startTime),
    endTimeUnixNano: nanoseconds(span.endTime),
    attributes: keyValues(span.attributes),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
    status: { code: span.status.code },
  };
}

/** Metrics of one process as one `MetricsData`. */
export function otlpMetrics({ resource, scopeMetrics }: ResourceMetrics): object {
  return {
    resourceMetrics: [
      {
        resource: resourceOf(resource),
        scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({
          scope: { name: scope.name },
          metrics: metrics.map(otlpMetric),
        })),
      },
    ],
  };
}

function otlpMetric(metric: MetricData): object {
  const { name, unit, description } = metric.descriptor;
  if (metric.dataPointType !== DataPointType.SUM && metric.dataPointType !== DataPointType.GAUGE)
    throw new TypeError(`metric ${name} is neither a sum nor a gauge`);
  const dataPoints = metric.dataPoints.map((point) => ({
    attributes: keyValues(point.attributes),
    startTimeUnixNano: nanoseconds(point.startTime),
    timeUnixNano: nanoseconds(point.endTime),
    asDouble: point.value,
  }));
  if (metric.dataPointType === DataPointType.GAUGE) return { name, unit, description, gauge: { dataPoints } };
  const cumulative = metric.aggregationTemporality === AggregationTemporality.CUMULATIVE;
  return {
    name,
    unit,
    description,
    sum: { dataPoints, aggregationTemporality: cumulative ? 2 : 1, isMonotonic: metric.isMonotonic },
  };
}
