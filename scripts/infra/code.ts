import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ROUTES } from '../../functions/control/http/routes.ts';
import { CONTAINER_SETTINGS, readContainerSettings } from '../../shared/config/container.ts';
import { CONTROL_SETTINGS, readControlSettings } from '../../shared/config/control.ts';
import { MIGRATION_SETTINGS, readMigrationSettings } from '../../shared/config/migration.ts';
import { readWorkerSettings, WORKER_SETTINGS } from '../../shared/config/worker.ts';
import { POOLS } from '../../shared/domain/blueprint/schema.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { POOLS_OF_ROLE } from '../../shared/jobs/protocol.ts';
import { EVENTS } from '../../shared/telemetry/events.ts';
import { METRICS } from '../../shared/telemetry/metrics.ts';

/** What the code says of itself, to be compared with the templates. */
export type Code = {
  /** Settings that some process reads. */
  readonly settings: ReadonlySet<string>;
  /** Settings that a role, or the migration, reads by its own list. */
  readonly settingsOfRole: Readonly<Record<string, readonly string[]>>;
  /** Settings that any process reads by name: its role, and what tests set. */
  readonly settingsOfAll: ReadonlySet<string>;
  /** Connections of triggers: settings that the Functions host reads for a worker role's app. */
  readonly connections: ReadonlySet<string>;
  readonly roles: readonly string[];
  /** Methods of the API's routes. */
  readonly methods: ReadonlySet<string>;
  /** What host.json says of the effector's host: messages handed to an instance at once, and in `hh:mm:ss` how long locks are renewed and functions may run. */
  readonly host: { readonly messagesAnInstance: number; readonly renewal: string; readonly timeout: string };
  /** How long a job of the effector may last, as `hh:mm:ss`. */
  readonly effectorJob: string;
  readonly pools: readonly { readonly name: string; readonly role: string }[];
  /** Ids of the warnings and errors in the logs of control, workers and containers. */
  readonly events: ReadonlySet<string>;
  /** Metrics with their dimensions, by name. */
  readonly metrics: ReadonlyMap<string, readonly string[]>;
  /** Names of settings that a role refuses, given these. */
  readonly refusals: (role: string, settings: Readonly<Record<string, string>>) => readonly string[];
};

async function sources(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return Promise.all(
    entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => readFile(path.join(entry.parentPath, entry.name), 'utf8')),
  );
}

/** Reads the code under a repository's root: pools and settings by import, names in text by pattern. */
export async function readCode(root: string): Promise<Code> {
  const texts = (
    await Promise.all(['functions', 'shared', 'container'].map((name) => sources(path.join(root, name))))
  ).flat();
  const matches = (pattern: RegExp): string[] =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, found = '']) => found));
  const roles =
    /const ROLES = \[([^\]]*)\]/.exec(await readFile(path.join(root, 'functions', 'main.ts'), 'utf8'))?.[1] ?? '';
  const owner = (pool: string): string =>
    Object.entries(POOLS_OF_ROLE).find(([, pools]) => (pools as readonly string[]).includes(pool))?.[0] ?? '';
  const settingsOfAll = new Set(matches(/process\.env(?:\.|\[')(FACTORY_\w+)/g));
  const settingsOfRole = {
    control: CONTROL_SETTINGS,
    station: [...WORKER_SETTINGS, ...CONTAINER_SETTINGS],
    verifier: [...WORKER_SETTINGS, ...CONTAINER_SETTINGS],
    effector: WORKER_SETTINGS,
    migrator: MIGRATION_SETTINGS,
  };
  return {
    settings: new Set([...Object.values(settingsOfRole).flat(), ...settingsOfAll]),
    settingsOfRole,
    settingsOfAll,
    connections: new Set(matches(/\bconnection: '(\w+)'/g)),
    methods: new Set(ROUTES.map(({ method }) => method)),
    host: await hostSettings(root),
    effectorJob: new Date(LIMITS.effect.jobMs).toISOString().slice(11, 19),
    roles: [...roles.matchAll(/'(\w+)'/g)].map(([, role = '']) => role),
    pools: POOLS.map((name) => ({ name, role: owner(name) })),
    events: new Set(
      Object.entries<{ readonly level: string }>(EVENTS)
        .filter(([, { level }]) => level !== 'info')
        .map(([name]) => name),
    ),
    metrics: new Map(Object.entries(METRICS).map(([name, { dimensions }]) => [name, dimensions])),
    refusals: (role, settings) => (READERS[role] ?? []).flatMap((read) => refusals(read, settings)),
  };
}

async function hostSettings(root: string): Promise<Code['host']> {
  const { extensions, functionTimeout } = JSON.parse(await readFile(path.join(root, 'host.json'), 'utf8')) as {
    readonly functionTimeout?: string;
    readonly extensions?: {
      readonly serviceBus?: { readonly maxConcurrentCalls?: number; readonly maxAutoLockRenewalDuration?: string };
    };
  };
  // Else the defaults of the extension and of the plan.
  return {
    messagesAnInstance: extensions?.serviceBus?.maxConcurrentCalls ?? 16,
    renewal: extensions?.serviceBus?.maxAutoLockRenewalDuration ?? '00:05:00',
    timeout: functionTimeout ?? '00:30:00',
  };
}

type Read = (given: Readonly<Record<string, string>>) => unknown;

/** What reads the settings of a role when it starts, where the templates run it. */
const READERS: Readonly<Record<string, readonly Read[]>> = {
  control: [readControlSettings],
  station: [readWorkerSettings, readContainerSettings],
  verifier: [readWorkerSettings, readContainerSettings],
  effector: [readWorkerSettings],
  migrator: [readMigrationSettings],
};

/** The names in the one message that lists everything wrong. */
function refusals(read: Read, settings: Readonly<Record<string, string>>): string[] {
  try {
    read(settings);
    return [];
  } catch (error) {
    return [...String(error).matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
  }
}
