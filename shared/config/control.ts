import { z } from 'zod';
import { LIMITS } from '../domain/limits.ts';

/** Every setting the control role reads from its environment. A plane that is set up wrongly does not start, and says all of it at once. */
const seconds = (fallbackMs: number, minimumMs: number) =>
  z.coerce
    .number()
    .min(minimumMs / 1000)
    .max(3_600)
    .default(fallbackMs / 1000);

const settings = z.object({
  /** Directory of the plane: database, sealed artifacts, keys, anchors, local identities. Only its owner may read it. */
  FACTORY_DATA: z.string().min(1),
  FACTORY_STORE: z.enum(['sqlite']).default('sqlite'),
  /** Connection string of the Service Bus namespace that carries the hints. */
  FACTORY_SERVICE_BUS: z.string().startsWith('Endpoint=', 'a Service Bus connection string (Endpoint=sb://…)'),
  /** Who issues tokens: this plane itself, on loopback only, or Entra ID. */
  FACTORY_IDENTITY: z.enum(['local', 'entra']),
  /** With entra: the tenant (a GUID) whose tokens are taken. */
  FACTORY_ENTRA_TENANT: z.guid().optional(),
  /** With entra: the sign-in authority, without a path. */
  FACTORY_ENTRA_AUTHORITY: z.url({ protocol: /^https$/ }).default('https://login.microsoftonline.com'),
  /** Audience a token must be for: with entra the client id (a GUID) of the plane's app registration. */
  FACTORY_AUDIENCE: z.string().min(1).default('agent-factory'),
  /** Where callers reach the plane, for links that leave it. */
  FACTORY_PUBLIC_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:7071'),
  /** How long a lease lasts without a renewal. */
  FACTORY_LEASE_SECONDS: seconds(LIMITS.job.leaseMs, LIMITS.job.minimumLeaseMs),
  /** After how long a queued job is hinted again. */
  FACTORY_HINT_SECONDS: seconds(LIMITS.job.hintIntervalMs, 2_000),
  /** Directory of the definitions whose policy holds where an application has none installed; the product's own when absent. */
  FACTORY_DEFINITIONS: z.string().min(1).optional(),
});

export type ControlSettings = {
  readonly dataDirectory: string;
  readonly serviceBus: string;
  readonly identity:
    | { readonly kind: 'local'; readonly audience: string }
    | { readonly kind: 'entra'; readonly tenant: string; readonly authority: string; readonly audience: string };
  readonly publicUrl: string;
  readonly leaseMs: number;
  readonly hintIntervalMs: number;
  readonly definitionsDirectory: string | undefined;
};

/** The names of the settings, for documentation and samples. */
export const CONTROL_SETTINGS = Object.keys(settings.shape) as readonly (keyof z.infer<typeof settings>)[];

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readControlSettings(environment: Readonly<Record<string, string | undefined>>): ControlSettings {
  const given = Object.fromEntries(
    CONTROL_SETTINGS.map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const parsed = settings.safeParse(given);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return `  ${name}: ${given[name] === undefined ? 'is not set' : issue.message}`;
      });
  if (given['FACTORY_IDENTITY'] === 'entra') {
    for (const name of ['FACTORY_ENTRA_TENANT', 'FACTORY_AUDIENCE']) {
      if (given[name] === undefined) faults.push(`  ${name}: is not set, and FACTORY_IDENTITY=entra needs it`);
    }
  }
  if (!parsed.success || faults.length > 0) {
    throw new Error(
      `Control can't start with these settings:\n${faults.join('\n')}\nSet them in the environment of the process (local.settings.json, or the app's settings in Azure).`,
    );
  }
  const { data } = parsed;
  return {
    dataDirectory: data.FACTORY_DATA,
    serviceBus: data.FACTORY_SERVICE_BUS,
    identity:
      data.FACTORY_IDENTITY === 'local'
        ? { kind: 'local', audience: data.FACTORY_AUDIENCE }
        : {
            kind: 'entra',
            tenant: data.FACTORY_ENTRA_TENANT ?? '',
            authority: data.FACTORY_ENTRA_AUTHORITY,
            audience: data.FACTORY_AUDIENCE,
          },
    publicUrl: data.FACTORY_PUBLIC_URL.replace(/\/+$/, ''),
    leaseMs: Math.round(data.FACTORY_LEASE_SECONDS * 1000),
    hintIntervalMs: Math.round(data.FACTORY_HINT_SECONDS * 1000),
    definitionsDirectory: data.FACTORY_DEFINITIONS,
  };
}
