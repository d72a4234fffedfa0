import { randomUUID } from 'node:crypto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { TelemetrySettings } from '../../config/telemetry.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Recorder } from '../recorder.ts';
import type { Destination } from './destination.ts';
import { dropCount, type TellDropped } from './drop-count.ts';
import { openMeasures } from './measures.ts';
import { readableSpan } from './readable-span.ts';
import { samplerOf } from './sampler.ts';
import { spanQueue } from './span-queue.ts';

/** A recorder that sends to every destination that the settings name. Each has a queue of its own, so that one that is away takes nothing from another. */
export async function openRecorder(
  role: string,
  settings: TelemetrySettings,
  tellDropped: TellDropped,
): Promise<Recorder> {
  // What the environment says of the process comes last, and so counts: OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME.
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': `agent-factory-${role}`,
        'service.instance.id': randomUUID(),
        'factory.role': role,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
  const destinations = await openDestinations(role, settings);
  const queues = destinations.map(({ name, spans }) => spanQueue(spans, dropCount(name, 'spans', tellDropped)));
  const measures = openMeasures(
    resource,
    destinations.map(({ name, metrics }) => ({ exporter: metrics, dropped: dropCount(name, 'metrics', tellDropped) })),
    settings.metricIntervalMs,
  );
  const sampled = samplerOf(settings);
  return {
    sampled,
    span(span) {
      if (!sampled(span.context.traceId)) return;
      const readable = readableSpan(span, resource);
      for (const queue of queues) queue.add(readable);
    },
    count: measures.count,
    gauge: measures.gauge,
    gaugesEveryMs: settings.metricIntervalMs,
    async stop() {
      const sent = Promise.all([...queues.map((queue) => queue.stop()), measures.stop()]);
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LIMITS.telemetry.stopMs);
      });
      await Promise.race([sent, patience]);
      clearTimeout(timer);
    },
  };
}

/** Each library is loaded only for a destination that is named. */
async function openDestinations(role: string, settings: TelemetrySettings): Promise<Destination[]> {
  const { file, otlpEndpoint, connectionString, clientId } = settings;
  const destinations: Destination[] = [];
  if (file !== undefined)
    destinations.push((await import('./file.ts')).fileDestination(file.replaceAll('{role}', role)));
  if (otlpEndpoint !== undefined) destinations.push((await import('./otlp.ts')).otlpDestination(otlpEndpoint));
  if (connectionString !== undefined)
    destinations.push((await import('./application-insights.ts')).applicationInsights(connectionString, clientId));
  return destinations;
}
