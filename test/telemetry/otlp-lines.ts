import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

type KeyValue = { readonly key: string; readonly value: Readonly<Record<string, string | number | boolean>> };
type OtlpSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
};
type OtlpPoint = { readonly attributes: readonly KeyValue[]; readonly asDouble: number };
type OtlpMetric = {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly OtlpPoint[] };
  readonly gauge?: { readonly dataPoints: readonly OtlpPoint[] };
};
export type OtlpMessage = {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly OtlpMetric[] }[];
  }[];
};

type Values = Readonly<Record<string, string | number | boolean>>;
const plain = (attributes: readonly KeyValue[]): Values =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']));

/** A span as a collector would keep it, with the role of the process that recorded it. */
export type Span = Omit<OtlpSpan, 'attributes' | 'links'> & {
  readonly role: string;
  readonly attributes: Values;
  readonly links: NonNullable<OtlpSpan['links']>;
};
export type Point = {
  readonly metric: string;
  readonly role: string;
  readonly value: number;
  readonly dimensions: Values;
};

export const spansOf = (messages: readonly OtlpMessage[]): Span[] =>
  messages.flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((span) => ({
          ...span,
          role: String(plain(resource.attributes)['factory.role']),
          attributes: plain(span.attributes),
          links: span.links ?? [],
        })),
      ),
    ),
  );

export const pointsOf = (messages: readonly OtlpMessage[]): Point[] =>
  messages.flatMap(({ resourceMetrics = [] }) =>
    resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ name, sum, gauge }) =>
          (sum ?? gauge)!.dataPoints.map((point) => ({
            metric: name,
            role: String(plain(resource.attributes)['factory.role']),
            value: point.asDouble,
            dimensions: plain(point.attributes),
          })),
        ),
      ),
    ),
  );

/** Every message in the telemetry files of a directory, and the whole of their text. */
export function readTelemetry(directory: string): { readonly messages: OtlpMessage[]; readonly text: string } {
  const files = existsSync(directory) ? readdirSync(directory).sort() : [];
  const text = files.map((file) => readFileSync(path.join(directory, file), 'utf8')).join('');
  // A line that is being written has no end yet.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return { text, messages: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as OtlpMessage) };
}
