import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import type { TelemetrySettings } from '../../config/telemetry.ts';

/**
 * Which traces are kept. The decision follows from the trace id, which follows from the request: every process keeps the same traces without being
 * told, so a parent's decision (`parentbased_…`) is this one too.
 */
export function samplerOf({ sampler, ratio }: TelemetrySettings): (traceId: string) => boolean {
  if (sampler.endsWith('always_on')) return () => true;
  if (sampler.endsWith('always_off')) return () => false;
  const byRatio = new TraceIdRatioBasedSampler(ratio);
  return (traceId) => byRatio.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
}
