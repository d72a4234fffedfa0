import { z } from 'zod';
import { type PriceTable, parsePriceTable } from '../domain/cost/price-table.ts';
import { LIMITS } from '../domain/limits.ts';
import { databaseName, hostName, identityClientId, keyUrl, storageUrl } from './azure-address.ts';
import { type FirstPrincipal, firstPrincipals } from './first-principals.ts';
import { type Environment, readSettings, type SettingFault } from './read-settings.ts';
import { TELEMETRY_SETTINGS, type TelemetrySettings, telemetryOf } from './telemetry.ts';

/** Every setting the control role reads from its environment. A plane that is set up wrongly does not start, and says all of it at once. */
const seconds = (fallbackMs: number, minimumMs: number) =>
  z.coerce
    .number()
    .min(minimumMs / 1000)
    .max(3_600)
    .default(fallbackMs / 1000);

const settings = z.object({
  /** Directory for what is kept on this machine: database, sealed artifacts, keys, anchors, local identities. Only its owner may read it. */
  FACTORY_DATA: z.string().min(1).optional(),
  FACTORY_STORE: z.enum(['sqlite', 'azure-sql']).default('sqlite'),
  /** With azure-sql: the logical server's host name, and the database. */
  FACTORY_SQL_SERVER: hostName.optional(),
  FACTORY_SQL_DATABASE: databaseName.optional(),
  /** Blob containers of the sealed artifacts, of unfinished uploads and of the anchors; directories under FACTORY_DATA when absent. */
  FACTORY_ARTIFACTS_URL: storageUrl.optional(),
  FACTORY_STAGING_URL: storageUrl.optional(),
  FACTORY_ANCHORS_URL: storageUrl.optional(),
  /** Table of the activity feed; files under FACTORY_DATA when absent. */
  FACTORY_ACTIVITY_URL: storageUrl.optional(),
  /** Keys of a vault: one that wraps, two that sign; files under FACTORY_DATA when absent. */
  FACTORY_WRAPPING_KEY: keyUrl.optional(),
  FACTORY_EVIDENCE_KEY: keyUrl.optional(),
  FACTORY_ANCHOR_KEY: keyUrl.optional(),
  /** The managed identity that all of these are reached under. */
  AZURE_CLIENT_ID: identityClientId.optional(),
  /** Connection string of the Service Bus namespace that carries the hints … */
  FACTORY_SERVICE_BUS: z
    .string()
    .startsWith('Endpoint=', 'a Service Bus connection string (Endpoint=sb://…)')
    .optional(),
  /** … or, signed in by identity, the namespace's host name. */
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: hostName.optional(),
  /** Who issues tokens: this plane itself, on loopback only, or Entra ID. */
  FACTORY_IDENTITY: z.enum(['local', 'entra']),
  /** With entra: the tenant (a GUID) whose tokens are taken. */
  FACTORY_ENTRA_TENANT: z.guid().optional(),
  /** With entra: the sign-in authority, without a path. */
  FACTORY_ENTRA_AUTHORITY: z.url({ protocol: /^https$/ }).default('https://login.microsoftonline.com'),
  /** Audience a token must be for: with entra the client id (a GUID) of the plane's app registration. */
  FACTORY_AUDIENCE: z.string().min(1).default('agent-factory'),
  /** With entra: identities that may call from the first start on, `role=<object id>` each, by commas; all others are added over the API. */
  FACTORY_FIRST_PRINCIPALS: firstPrincipals.optional(),
  /** Where callers reach the plane, for links that leave it. */
  FACTORY_PUBLIC_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:7071'),
  /** How long a lease lasts without a renewal. */
  FACTORY_LEASE_SECONDS: seconds(LIMITS.job.leaseMs, LIMITS.job.minimumLeaseMs),
  /** After how long a queued job is hinted again. */
  FACTORY_HINT_SECONDS: seconds(LIMITS.job.hintIntervalMs, 2_000),
  /** Directory of the definitions whose policy holds where an application has none installed; the product's own when absent. */
  FACTORY_DEFINITIONS: z.string().min(1).optional(),
  /** What a second under a lease costs by pool, as JSON: {version, currency, perSecond}. Without it nothing costs anything. */
  FACTORY_PRICES: z
    .string()
    .max(LIMITS.cost.priceTableLength)
    .transform((json, context): PriceTable => {
      const table = parsePriceTable(json);
      if (typeof table !== 'string') return table;
      context.addIssue({ code: 'custom', message: `is no price table: ${table}` });
      return z.NEVER;
    })
    .optional(),
  ...TELEMETRY_SETTINGS,
});

/** Where each part of a plane is kept. What is absent is kept in the data directory. */
export type Places = {
  /** Set wherever a part is kept on this machine. */
  readonly dataDirectory: string | undefined;
  readonly sql: { readonly server: string; readonly database: string } | undefined;
  readonly artifactsUrl: string | undefined;
  readonly stagingUrl: string | undefined;
  readonly anchorsUrl: string | undefined;
  readonly activityUrl: string | undefined;
  readonly wrappingKeyUrl: string | undefined;
  readonly signingKeyUrls: { readonly evidence: string | undefined; readonly anchor: string | undefined };
  readonly serviceBus: { readonly connectionString: string } | { readonly namespace: string };
  /** Set wherever a part is in Azure. */
  readonly clientId: string | undefined;
};

export type ControlSettings = {
  readonly places: Places;
  readonly identity:
    | { readonly kind: 'local'; readonly audience: string; readonly dataDirectory: string }
    | {
        readonly kind: 'entra';
        readonly tenant: string;
        readonly authority: string;
        readonly audience: string;
        readonly first: readonly FirstPrincipal[];
      };
  readonly publicUrl: string;
  readonly leaseMs: number;
  readonly hintIntervalMs: number;
  readonly definitionsDirectory: string | undefined;
  /** Undefined where nothing costs anything. */
  readonly prices: PriceTable | undefined;
  /** Undefined when telemetry is off. */
  readonly telemetry: TelemetrySettings | undefined;
};

type Settings = z.infer<typeof settings>;

/** The names of the settings, for documentation and samples. */
export const CONTROL_SETTINGS = Object.keys(settings.shape) as readonly (keyof Settings)[];

const IN_STORAGE = [
  'FACTORY_ARTIFACTS_URL',
  'FACTORY_STAGING_URL',
  'FACTORY_ANCHORS_URL',
  'FACTORY_ACTIVITY_URL',
] as const;
const IN_VAULT = ['FACTORY_WRAPPING_KEY', 'FACTORY_EVIDENCE_KEY', 'FACTORY_ANCHOR_KEY'] as const;
const BY_IDENTITY = 'FACTORY_SERVICE_BUS__fullyQualifiedNamespace';
const IN_SQL = ['FACTORY_SQL_SERVER', 'FACTORY_SQL_DATABASE'] as const;

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readControlSettings(environment: Environment): ControlSettings {
  const data = readSettings('Control', settings, environment, together);
  return {
    places: {
      dataDirectory: data.FACTORY_DATA,
      sql:
        data.FACTORY_STORE === 'azure-sql'
          ? { server: data.FACTORY_SQL_SERVER ?? '', database: data.FACTORY_SQL_DATABASE ?? '' }
          : undefined,
      artifactsUrl: data.FACTORY_ARTIFACTS_URL,
      stagingUrl: data.FACTORY_STAGING_URL,
      anchorsUrl: data.FACTORY_ANCHORS_URL,
      activityUrl: data.FACTORY_ACTIVITY_URL,
      wrappingKeyUrl: data.FACTORY_WRAPPING_KEY,
      signingKeyUrls: { evidence: data.FACTORY_EVIDENCE_KEY, anchor: data.FACTORY_ANCHOR_KEY },
      serviceBus:
        data.FACTORY_SERVICE_BUS === undefined
          ? { namespace: data.FACTORY_SERVICE_BUS__fullyQualifiedNamespace ?? '' }
          : { connectionString: data.FACTORY_SERVICE_BUS },
      clientId: data.AZURE_CLIENT_ID,
    },
    identity:
      data.FACTORY_IDENTITY === 'local'
        ? { kind: 'local', audience: data.FACTORY_AUDIENCE, dataDirectory: data.FACTORY_DATA ?? '' }
        : {
            kind: 'entra',
            tenant: data.FACTORY_ENTRA_TENANT ?? '',
            authority: data.FACTORY_ENTRA_AUTHORITY,
            audience: data.FACTORY_AUDIENCE,
            first: data.FACTORY_FIRST_PRINCIPALS ?? [],
          },
    publicUrl: data.FACTORY_PUBLIC_URL.replace(/\/+$/, ''),
    leaseMs: Math.round(data.FACTORY_LEASE_SECONDS * 1000),
    hintIntervalMs: Math.round(data.FACTORY_HINT_SECONDS * 1000),
    definitionsDirectory: data.FACTORY_DEFINITIONS,
    prices: data.FACTORY_PRICES,
    telemetry: telemetryOf(data),
  };
}

/** What is wrong only together. */
function* together(given: Environment): Iterable<SettingFault> {
  const has = (name: string): boolean => given[name] !== undefined;
  const inAzureSql = given['FACTORY_STORE'] === 'azure-sql';
  if (inAzureSql) yield* wholeInAzure(given);
  else {
    // What is on this machine lies under it: the store at least.
    if (!has('FACTORY_DATA')) yield ['FACTORY_DATA', 'is not set'];
    for (const name of IN_SQL) if (has(name)) yield [name, 'is given, and FACTORY_STORE is not azure-sql'];
  }
  if (!has('FACTORY_SERVICE_BUS') && !has(BY_IDENTITY))
    yield ['FACTORY_SERVICE_BUS', `is not set, and ${BY_IDENTITY} is not either`];
  if (has('FACTORY_SERVICE_BUS') && has(BY_IDENTITY))
    yield ['FACTORY_SERVICE_BUS', `is given beside ${BY_IDENTITY}: one of the two says where hints go`];
  const signed = [...IN_STORAGE, ...IN_VAULT, BY_IDENTITY].find(has);
  if (!inAzureSql && signed !== undefined && !has('AZURE_CLIENT_ID'))
    yield ['AZURE_CLIENT_ID', `is not set, and ${signed} is reached under that identity`];
  const evidenceKey = given['FACTORY_EVIDENCE_KEY'];
  if (evidenceKey !== undefined && evidenceKey === given['FACTORY_ANCHOR_KEY'])
    yield [
      'FACTORY_ANCHOR_KEY',
      'is the key of FACTORY_EVIDENCE_KEY; a key signs for one purpose only: make a second one',
    ];
  if (given['FACTORY_IDENTITY'] !== 'entra') {
    if (has('FACTORY_FIRST_PRINCIPALS'))
      yield ['FACTORY_FIRST_PRINCIPALS', 'is given, and FACTORY_IDENTITY is not entra: local identities have files'];
    return;
  }
  for (const name of ['FACTORY_ENTRA_TENANT', 'FACTORY_AUDIENCE'])
    if (!has(name)) yield [name, 'is not set, and FACTORY_IDENTITY=entra needs it'];
}

/**
 * A database that other machines reach is one that several instances of control share. Whatever one of them kept in its own directory, a key or an artifact, the
 * others would not have.
 */
function* wholeInAzure(given: Environment): Iterable<SettingFault> {
  for (const name of [...IN_SQL, ...IN_STORAGE, ...IN_VAULT, 'AZURE_CLIENT_ID'])
    if (given[name] === undefined)
      yield [name, 'is not set; with FACTORY_STORE=azure-sql every part is in Azure, for all instances of control'];
  if (given['FACTORY_IDENTITY'] === 'local')
    yield ['FACTORY_IDENTITY', 'is local, which is for one machine; with FACTORY_STORE=azure-sql it is entra'];
}
