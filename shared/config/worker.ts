import { z } from 'zod';

/**
 * Every setting a worker process (station, verifier, effector) reads from its environment. A worker that is set up wrongly does not
 * start: it says everything that is missing or wrong in one message.
 */
const settings = z.object({
  /** Where the control plane answers, e.g. `http://127.0.0.1:7071`. Plain http is for this machine only. */
  FACTORY_CONTROL_URL: z
    .url({ protocol: /^https?$/ })
    .refine(isPrivateOrSecure, 'https, unless the plane is on this machine (a loopback address)'),
  /** File with this worker's credential, mode 0600; `{role}` in it stands for the role, for a process that serves several (tests). */
  FACTORY_CREDENTIAL_FILE: z.string().min(1),
  /** Directory for the workspaces of running jobs; nothing in it outlives its job. */
  FACTORY_DATA: z.string().min(1),
  /** How untrusted programs are run. `process` has no isolation: each application must allow it, and evidence says so. */
  FACTORY_SANDBOX: z.enum(['bubblewrap', 'process']).default('bubblewrap'),
  /** Jobs at once in this process. */
  FACTORY_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(4),
  /** The one npm registry the packages pool may read; npm's configured one when absent. */
  FACTORY_NPM_REGISTRY: z.url({ protocol: /^https?$/ }).optional(),
});

export type WorkerSettings = {
  readonly controlUrl: string;
  readonly credentialFile: string;
  readonly dataDirectory: string;
  readonly sandbox: 'bubblewrap' | 'process';
  readonly concurrency: number;
  readonly npmRegistry: string | undefined;
};

/** The names of the settings, for documentation and samples. */
export const WORKER_SETTINGS = Object.keys(settings.shape) as readonly (keyof z.infer<typeof settings>)[];

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readWorkerSettings(environment: Readonly<Record<string, string | undefined>>): WorkerSettings {
  const given = Object.fromEntries(
    WORKER_SETTINGS.map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) =>
        `  ${issue.path.join('.')}: ${given[String(issue.path[0])] === undefined ? 'is not set' : issue.message}`,
    );
    throw new Error(
      `The worker can't start with these settings:\n${faults.join('\n')}\nSet them in the environment of the process (local.settings.json, or the app's settings in Azure).`,
    );
  }
  const { data } = parsed;
  return {
    controlUrl: data.FACTORY_CONTROL_URL,
    credentialFile: data.FACTORY_CREDENTIAL_FILE,
    dataDirectory: data.FACTORY_DATA,
    sandbox: data.FACTORY_SANDBOX,
    concurrency: data.FACTORY_CONCURRENCY,
    npmRegistry: data.FACTORY_NPM_REGISTRY,
  };
}

function isPrivateOrSecure(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}
