import { z } from 'zod';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/**
 * Where a process sends its traces and metrics: to none unless one is named, and to each that is. Names that OpenTelemetry has are used as it defines them
 * (OpenTelemetry Environment Variable Specification).
 */
export const TELEMETRY_SETTINGS = {
  /** Application Insights; signed in as AZURE_CLIENT_ID where that is given. */
  APPLICATIONINSIGHTS_CONNECTION_STRING: z
    .string()
    .regex(/^InstrumentationKey=[0-9a-f-]{36}(;|$)/i, 'a connection string (InstrumentationKey=…;IngestionEndpoint=…)')
    .optional(),
  /** An OTLP/HTTP endpoint, without `/v1/traces`. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** A file of JSON lines; `{role}` in it stands for the role, since each process writes its own. */
  FACTORY_TELEMETRY_FILE: z.string().includes('{role}', 'a path with {role} in it: a file a process').optional(),
  /** `true` turns it off whatever else is said. */
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false'),
  OTEL_SERVICE_NAME: z.string().max(100).optional(),
  /** What else the process is to be known by: `key=value,…`. */
  OTEL_RESOURCE_ATTRIBUTES: z.string().max(2_000).optional(),
  OTEL_TRACES_SAMPLER: z.enum(SAMPLERS).default('parentbased_always_on'),
  /** With a ratio: which part of the traces is kept, 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** Milliseconds between two exports of the metrics. */
  OTEL_METRIC_EXPORT_INTERVAL: z.coerce.number().int().min(100).max(3_600_000).default(60_000),
} as const;

const settings = z.object(TELEMETRY_SETTINGS);

/** Where telemetry goes; there is at least one destination. */
export type TelemetrySettings = {
  readonly connectionString: string | undefined;
  readonly clientId: string | undefined;
  readonly otlpEndpoint: string | undefined;
  readonly file: string | undefined;
  readonly sampler: (typeof SAMPLERS)[number];
  readonly ratio: number;
  readonly metricIntervalMs: number;
};

/** The telemetry part of a role's settings; undefined when it is off. */
export function telemetryOf(
  data: z.infer<typeof settings> & { readonly AZURE_CLIENT_ID?: string | undefined },
): TelemetrySettings | undefined {
  const connectionString = data.APPLICATIONINSIGHTS_CONNECTION_STRING;
  const otlpEndpoint = data.OTEL_EXPORTER_OTLP_ENDPOINT;
  const file = data.FACTORY_TELEMETRY_FILE;
  const named = [connectionString, otlpEndpoint, file].some((destination) => destination !== undefined);
  if (!named || data.OTEL_SDK_DISABLED === 'true') return undefined;
  return {
    connectionString,
    clientId: data.AZURE_CLIENT_ID,
    otlpEndpoint,
    file,
    sampler: data.OTEL_TRACES_SAMPLER,
    ratio: data.OTEL_TRACES_SAMPLER_ARG,
    metricIntervalMs: data.OTEL_METRIC_EXPORT_INTERVAL,
  };
}
