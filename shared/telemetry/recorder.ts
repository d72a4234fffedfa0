import type { CounterName, Dimensions, GaugeName, Reading } from './metrics.ts';
import type { SpanContext } from './span-context.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** Ids, names, codes and figures; never text of a packet, of an artifact or of a program. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span as it is recorded: whole, once it has ended. Times in milliseconds since the epoch, with fractions. */
export type EndedSpan = {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly links: readonly SpanContext[];
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  /** `error.type` of what failed: a code or a class, never a message. */
  readonly failure: string | undefined;
};

/** Where spans and metrics go. No call waits for anything, and none throws: what can't be kept is dropped and counted. */
export type Recorder = {
  span(span: EndedSpan): void;
  /** Whether a trace is kept. Follows from its id, so that every process decides alike. */
  sampled(traceId: string): boolean;
  /** Adds to a counter: one, unless it counts something else than events. */
  count<N extends CounterName>(name: N, dimensions: Dimensions<N>, by?: number): void;
  /** All readings of a gauge; those of before are forgotten. */
  gauge<N extends GaugeName>(name: N, readings: readonly Reading<N>[]): void;
  /** How often gauges are exported: reading them more often is in vain. */
  readonly gaugesEveryMs: number;
  /** Sends what is left, for a bounded time. */
  stop(): Promise<void>;
};

let current: Recorder | undefined;

/** The recorder of this process, or undefined when telemetry is off: then nothing is measured, derived or loaded. */
export const recorder = (): Recorder | undefined => current;

/** Sets the recorder of this process; undefined turns telemetry off. */
export function record(to: Recorder | undefined): void {
  current = to;
}
