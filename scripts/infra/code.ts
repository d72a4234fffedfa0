import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CONTROL_SETTINGS, readControlSettings } from '../../shared/config/control.ts';
import { readWorkerSettings, WORKER_SETTINGS } from '../../shared/config/worker.ts';
import { POOLS } from '../../shared/domain/blueprint/schema.ts';
import { POOLS_OF_ROLE } from '../../shared/jobs/protocol.ts';

/** What the code says of itself, to be compared with the templates. */
export type Code = {
  /** Settings that some process reads. */
  readonly settings: ReadonlySet<string>;
  /** Settings that a role reads. */
  readonly settingsOfRole: Readonly<Record<string, readonly string[]>>;
  readonly roles: readonly string[];
  readonly pools: readonly { readonly name: string; readonly role: string }[];
  /** Messages of warnings and errors in the logs of control and workers. */
  readonly messages: ReadonlySet<string>;
  /** Metrics, by name. */
  readonly metrics: ReadonlySet<string>;
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
  const telemetry = await sources(path.join(root, 'shared', 'telemetry'));
  const matches = (pattern: RegExp): string[] =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, found = '']) => found));
  const roles =
    /const ROLES = \[([^\]]*)\]/.exec(await readFile(path.join(root, 'functions', 'main.ts'), 'utf8'))?.[1] ?? '';
  const owner = (pool: string): string =>
    Object.entries(POOLS_OF_ROLE).find(([, pools]) => (pools as readonly string[]).includes(pool))?.[0] ?? '';
  return {
    settings: new Set([...CONTROL_SETTINGS, ...WORKER_SETTINGS, ...matches(/process\.env(?:\.|\[')(FACTORY_\w+)/g)]),
    settingsOfRole: {
      control: CONTROL_SETTINGS,
      station: WORKER_SETTINGS,
      verifier: WORKER_SETTINGS,
      effector: WORKER_SETTINGS,
    },
    roles: [...roles.matchAll(/'(\w+)'/g)].map(([, role = '']) => role),
    pools: POOLS.map((name) => ({ name, role: owner(name) })),
    messages: new Set([
      ...matches(/\blog\(\s*'(?:warn|error)',\s*'([^']+)'/g),
      ...matches(/logger\.error\([^)]*\}, '([^']+)'\)/g),
    ]),
    metrics: new Set(
      telemetry.flatMap((text) => [...text.matchAll(/'(factory\.[a-z.]+)'/g)].map(([, name = '']) => name)),
    ),
    refusals: (role, settings) => refusals(role === 'control' ? readControlSettings : readWorkerSettings, settings),
  };
}

/** The names in the one message that lists everything wrong. */
function refusals(
  read: (given: Readonly<Record<string, string>>) => unknown,
  settings: Readonly<Record<string, string>>,
): string[] {
  try {
    read(settings);
    return [];
  } catch (error) {
    return [...String(error).matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
  }
}
