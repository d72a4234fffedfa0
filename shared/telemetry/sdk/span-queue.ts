import { ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { LIMITS } from '../../domain/limits.ts';
import type { DropCount } from './drop-count.ts';

export type SpanQueue = {
  add(span: ReadableSpan): void;
  stop(): Promise<void>;
};

/**
 * Spans on their way to one destination, sent in batches behind everybody's back. At most `LIMITS.telemetry.spans` are held, waiting or being sent: past
 * that the newest are dropped. Both that and what the destination would not take is counted.
 */
export function spanQueue(exporter: SpanExporter, dropped: DropCount): SpanQueue {
  let held = 0;
  const counting: SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        held -= spans.length;
        if (result.code !== ExportResultCode.SUCCESS) dropped.add('failed', spans.length);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
  const { spans: most, batch, delayMs, exportMs } = LIMITS.telemetry;
  const batches = new BatchSpanProcessor(counting, {
    maxQueueSize: most,
    maxExportBatchSize: batch,
    scheduledDelayMillis: delayMs,
    exportTimeoutMillis: exportMs,
  });
  return {
    add(span) {
      if (held >= most) return dropped.add('full', 1);
      held += 1;
      batches.onEnd(span);
    },
    async stop() {
      await batches.shutdown().catch(() => undefined);
      if (held > 0) dropped.add('failed', held);
      dropped.tell();
    },
  };
}
