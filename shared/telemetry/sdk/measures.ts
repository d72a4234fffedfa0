import type { Counter } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { type GaugeName, METRICS, type Reading } from '../metrics.ts';
import type { Recorder } from '../recorder.ts';
import type { DropCount } from './drop-count.ts';
import { SCOPE } from './scope.ts';

export type MetricDestination = { readonly exporter: PushMetricExporter; readonly dropped: DropCount };
export type Measures = Pick<Recorder, 'count' | 'gauge' | 'stop'>;

/**
 * The metrics of the table, exported on an interval. A gauge says what was last read of it; readings older than two intervals are not repeated: whoever
 * reads gauges may be another instance by now.
 */
export function openMeasures(
  resource: Resource,
  destinations: readonly MetricDestination[],
  intervalMs: number,
): Measures {
  const provider = new MeterProvider({
    resource,
    readers: destinations.map(
      ({ exporter, dropped }) =>
        new PeriodicExportingMetricReader({
          exporter: countingLosses(exporter, dropped),
          exportIntervalMillis: intervalMs,
          exportTimeoutMillis: intervalMs,
        }),
    ),
  });
  const meter = provider.getMeter(SCOPE.name);
  const counters = new Map<string, Counter>();
  const gauges = new Map<GaugeName, { readonly at: number; readonly readings: readonly Reading[] }>();
  for (const [name, { kind, unit, description }] of Object.entries(METRICS)) {
    if (kind === 'counter') counters.set(name, meter.createCounter(name, { unit, description }));
    else
      meter.createObservableGauge(name, { unit, description }).addCallback((result) => {
        const last = gauges.get(name as GaugeName);
        if (last === undefined || performance.now() - last.at > 2 * intervalMs) return;
        for (const { value, dimensions } of last.readings) result.observe(value, dimensions);
      });
  }
  return {
    count: (name, dimensions, by = 1) => counters.get(name)?.add(by, dimensions),
    gauge(name, readings) {
      gauges.set(name, { at: performance.now(), readings });
    },
    async stop() {
      await provider.shutdown().catch(() => undefined);
      for (const { dropped } of destinations) dropped.tell();
    },
  };
}

const pointsOf = ({ scopeMetrics }: ResourceMetrics): number =>
  scopeMetrics.flatMap((scope) => scope.metrics.map((metric) => metric.dataPoints.length)).reduce((a, b) => a + b, 0);

function countingLosses(exporter: PushMetricExporter, dropped: DropCount): PushMetricExporter {
  const temporality = exporter.selectAggregationTemporality?.bind(exporter);
  const aggregation = exporter.selectAggregation?.bind(exporter);
  return {
    export(metrics, done) {
      exporter.export(metrics, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) dropped.add('failed', pointsOf(metrics));
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    // A gauge of which nothing was read has no value; accumulated, the library would repeat the last one for ever.
    selectAggregationTemporality: (type) =>
      type === InstrumentType.OBSERVABLE_GAUGE
        ? AggregationTemporality.DELTA
        : (temporality?.(type) ?? AggregationTemporality.CUMULATIVE),
    ...(aggregation === undefined ? {} : { selectAggregation: aggregation }),
  };
}
