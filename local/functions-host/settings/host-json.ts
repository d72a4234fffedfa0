import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { logLevels, parseLogLevel } from '../log.ts';
import { parseTimeSpan } from './time-span.ts';

const timeSpan = z.string().transform((text, context) => {
  const parsed = parseTimeSpan(text);
  if (parsed !== undefined) return parsed;
  context.addIssue(`"${text}" is no time span; write hh:mm:ss or d.hh:mm:ss`);
  return z.NEVER;
});
/** No limit is `-1`; a longer one than the platform's timers hold, 24 days, is as good as that. */
const functionTimeout = z.string().transform((text, context) => {
  if (text.trim() === '-1') return null;
  const parsed = parseTimeSpan(text);
  if (parsed !== undefined) return parsed < 2 ** 31 ? parsed : null;
  context.addIssue(`"${text}" is no time span; write hh:mm:ss, d.hh:mm:ss, or -1 for no limit`);
  return z.NEVER;
});
const logLevel = z.string().transform((text, context) => {
  const parsed = parseLogLevel(text);
  if (parsed !== undefined) return parsed;
  context.addIssue(`"${text}" is no log level; one of ${logLevels.join(', ')}`);
  return z.NEVER;
});
/** What comes from a setting is text; the real host takes such text in host.json as well. */
const count = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
  z.int().min(1).max(100_000),
);
const flag = z.preprocess(
  (value) => (typeof value === 'string' && /^(true|false)$/i.test(value) ? /^true$/i.test(value) : value),
  z.boolean(),
);
const perProcessor = 10 * availableParallelism();

const http = z.object({
  routePrefix: z.string().default('api'),
  maxConcurrentRequests: z.union([z.literal(-1), z.literal('-1').transform(() => -1), count]).default(1_000),
});
const durableTask = z.object({
  hubName: z.string().min(1).max(45).default('TestHubName'),
  defaultVersion: z.string().default(''),
  maxConcurrentActivityFunctions: count.default(perProcessor),
  maxConcurrentOrchestratorFunctions: count.default(perProcessor),
});
const serviceBus = z.object({
  maxConcurrentCalls: count.default(16),
  autoCompleteMessages: flag.default(true),
  maxAutoLockRenewalDuration: timeSpan.default(300_000),
});
const schema = z.object({
  version: z.literal('2.0').default('2.0'),
  functionTimeout: functionTimeout.default(1_800_000),
  logging: z
    .object({ logLevel: z.object({ default: logLevel.default('information') }).default({ default: 'information' }) })
    .default({ logLevel: { default: 'information' } }),
  extensions: z
    .object({
      http: http.default(() => http.parse({})),
      durableTask: durableTask.default(() => durableTask.parse({})),
      serviceBus: serviceBus.default(() => serviceBus.parse({})),
    })
    .default(() => ({ http: http.parse({}), durableTask: durableTask.parse({}), serviceBus: serviceBus.parse({}) })),
});

/** The parts of host.json this host honours; times in milliseconds. Everything else is left to Azure. */
export type HostSettings = z.output<typeof schema>;

/** Entries that a setting `AzureFunctionsJobHost__…` can take the place of: those that this host honours. */
const overridable = [
  'functionTimeout',
  'logging.logLevel.default',
  'extensions.http.routePrefix',
  'extensions.http.maxConcurrentRequests',
  'extensions.durableTask.hubName',
  'extensions.durableTask.defaultVersion',
  'extensions.durableTask.maxConcurrentActivityFunctions',
  'extensions.durableTask.maxConcurrentOrchestratorFunctions',
  'extensions.serviceBus.maxConcurrentCalls',
  'extensions.serviceBus.autoCompleteMessages',
  'extensions.serviceBus.maxAutoLockRenewalDuration',
];

/**
 * Reads host.json of the app; without one, or without an entry, Azure's defaults hold. A setting `AzureFunctionsJobHost__a__b` (or with
 * colons, in letters of any case) wins over the entry `a.b`, as on Azure. Throws on a wrong entry, naming where it is from.
 */
export function readHostSettings(
  appDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
): HostSettings {
  const file = path.join(appDirectory, 'host.json');
  const parsed: unknown = existsSync(file) ? parseJson(file) : {};
  const overridden = new Map<string, string>();
  const settings = new Map(
    Object.entries(environment).map(([name, value]) => [name.replaceAll(':', '__').toLowerCase(), { name, value }]),
  );
  let value = parsed;
  for (const entry of overridable) {
    const setting = settings.get(`AzureFunctionsJobHost__${entry.replaceAll('.', '__')}`.toLowerCase());
    if (setting?.value === undefined) continue;
    value = withEntry(value, entry.split('.'), setting.value);
    overridden.set(entry, setting.name);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => {
    const entry = issue.path.join('.');
    const from = overridden.get(entry);
    return `${from === undefined ? entry : `${entry} (set by ${from})`}: ${issue.message}`;
  });
  throw new Error(`${file} can't be used: ${issues.join('; ')}`);
}

/** The same with this text in the place of the entry; what is no object is left for the schema to refuse. */
function withEntry(value: unknown, [name = '', ...inner]: readonly string[], text: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const held = (value as Record<string, unknown>)[name];
  return { ...value, [name]: inner.length === 0 ? text : withEntry(held ?? {}, inner, text) };
}

/** JSON of a settings file, with or without a byte order mark; an error names the file. */
export function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`${file} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
