import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { identityClientId, isBareUrl, isOrigin } from './azure-address.ts';
import { type Environment, readSettings, type SettingFault } from './read-settings.ts';
import { TELEMETRY_SETTINGS, type TelemetrySettings, telemetryOf } from './telemetry.ts';

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
  FACTORY_CREDENTIAL_FILE: z.string().min(1).optional(),
  /** In place of a file: the managed identity of this process, and the client id of the plane's app registration that its tokens are for. */
  AZURE_CLIENT_ID: identityClientId.optional(),
  FACTORY_AUDIENCE: z.string().min(1).max(200).optional(),
  /** Directory for the workspaces of running jobs; nothing in it outlives its job. */
  FACTORY_DATA: z.string().min(1),
  /** How untrusted programs are run. `process` has no isolation: each application must allow it, and evidence says so. */
  FACTORY_SANDBOX: z.enum(['bubblewrap', 'process', 'sessions']).default('bubblewrap'),
  /** With `sessions`: the management endpoint of the pool, which the managed identity of this process has to be an executor of. */
  FACTORY_SESSION_POOL: z
    .url({ protocol: /^https?$/ })
    .refine(isPrivateOrSecure, 'https, unless the pool is a stand-in on this machine (a loopback address)')
    .refine(isBareUrl, 'an address without a user, a query or a fragment')
    .optional(),
  /** Of the effector: Azure Resource Manager of the cloud that environments are in; its tokens are for `<address>/.default`. */
  FACTORY_RESOURCE_MANAGER_URL: z
    .url({ protocol: /^https?$/ })
    .refine(isPrivateOrSecure, 'https, unless it is a stand-in on this machine (a loopback address)')
    .refine(isOrigin, 'an address without a user, a path, a query or a fragment')
    .default('https://management.azure.com'),
  /** Jobs at once in this process. */
  FACTORY_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(4),
  /** The one npm registry the packages pool may read; npm's configured one when absent. */
  FACTORY_NPM_REGISTRY: z.url({ protocol: /^https?$/ }).optional(),
  /** The one index of Python packages the packages pool may read, by the address of its simple API. */
  FACTORY_PYTHON_INDEX: z
    .url({ protocol: /^https?$/ })
    .refine(isPrivateOrSecure, 'https, unless the index is on this machine (a loopback address)')
    .optional(),
  /** Folder with packages of NuGet for checks of .NET; read where toolchains are looked for. dotnet's own folder when absent. */
  FACTORY_NUGET_PACKAGES: z
    .string()
    .refine((path) => isAbsolute(path), 'an absolute path')
    .optional(),
  ...TELEMETRY_SETTINGS,
});

/** What a worker shows the plane: a secret of its own in a file, or tokens of the identity that the platform gave the process. */
export type WorkerCredential =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'managed'; readonly clientId: string; readonly audience: string };

export type WorkerSettings = {
  readonly controlUrl: string;
  readonly credential: WorkerCredential;
  readonly dataDirectory: string;
  readonly sandbox: 'bubblewrap' | 'process' | 'sessions';
  /** Given exactly with `sessions`. */
  readonly sessionPool: string | undefined;
  readonly resourceManager: string;
  readonly concurrency: number;
  readonly npmRegistry: string | undefined;
  readonly pythonIndex: string | undefined;
  /** Undefined when telemetry is off. */
  readonly telemetry: TelemetrySettings | undefined;
};

/** The names of the settings, for documentation and samples. */
export const WORKER_SETTINGS = Object.keys(settings.shape) as readonly (keyof z.infer<typeof settings>)[];

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readWorkerSettings(environment: Environment): WorkerSettings {
  const data = readSettings('The worker', settings, environment, together);
  return {
    controlUrl: data.FACTORY_CONTROL_URL,
    credential:
      data.FACTORY_CREDENTIAL_FILE === undefined
        ? { kind: 'managed', clientId: data.AZURE_CLIENT_ID ?? '', audience: data.FACTORY_AUDIENCE ?? '' }
        : { kind: 'file', file: data.FACTORY_CREDENTIAL_FILE },
    dataDirectory: data.FACTORY_DATA,
    sandbox: data.FACTORY_SANDBOX,
    sessionPool: data.FACTORY_SESSION_POOL,
    resourceManager: data.FACTORY_RESOURCE_MANAGER_URL,
    concurrency: data.FACTORY_CONCURRENCY,
    npmRegistry: data.FACTORY_NPM_REGISTRY,
    pythonIndex: data.FACTORY_PYTHON_INDEX,
    telemetry: telemetryOf(data),
  };
}

/** One credential, and the whole of it; a sandbox, and the whole of it. */
function* together(given: Environment): Iterable<SettingFault> {
  const file = given['FACTORY_CREDENTIAL_FILE'] !== undefined;
  const managed = given['AZURE_CLIENT_ID'] !== undefined;
  if (file && managed)
    yield [
      'FACTORY_CREDENTIAL_FILE',
      'is given beside AZURE_CLIENT_ID: a worker has one identity, of a file or of the platform',
    ];
  if (!file && !managed)
    yield ['FACTORY_CREDENTIAL_FILE', 'is not set, and AZURE_CLIENT_ID (with FACTORY_AUDIENCE) is not either'];
  if (!file && managed && given['FACTORY_AUDIENCE'] === undefined)
    yield ['FACTORY_AUDIENCE', "is not set, and a managed identity's tokens are for it"];
  const sessions = given['FACTORY_SANDBOX'] === 'sessions';
  if (sessions && given['FACTORY_SESSION_POOL'] === undefined)
    yield ['FACTORY_SESSION_POOL', 'is not set, and FACTORY_SANDBOX=sessions runs programs in that pool'];
  if (sessions && !managed)
    yield ['AZURE_CLIENT_ID', 'is not set, and a session pool is reached under that managed identity alone'];
  if (!sessions && given['FACTORY_SESSION_POOL'] !== undefined)
    yield ['FACTORY_SESSION_POOL', 'is given without FACTORY_SANDBOX=sessions: one of the two is a mistake'];
}

function isPrivateOrSecure(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}
