import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { VITAL_ROUTES } from '../../shared/http/vital.ts';
import { type Layout, PROCESSES, type ProcessName } from '../data/layout.ts';
import type { ProcessPlan } from './managed-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Extension of the modules: `.ts` in the repository, `.js` in a release, as Node takes no TypeScript below `node_modules`. */
const EXTENSION = extname(import.meta.url);
const BROKER = fileURLToPath(new URL(`../../local/service-bus/main${EXTENSION}`, import.meta.url));
const HOST = fileURLToPath(new URL(`../../local/functions-host/main${EXTENSION}`, import.meta.url));

/** What of the user's environment a process gets: what programs need to run at all, and the settings that are for it. */
const PASSED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|NODE_COMPILE_CACHE|AZURE_CONFIG_DIR|NODE_USE_ENV_PROXY|(https?|no)_proxy|(HTTPS?|NO)_PROXY|npm_config_.*|OTEL_.*)$/;
const SETTINGS = [
  'FACTORY_LEASE_SECONDS',
  'FACTORY_HINT_SECONDS',
  'FACTORY_DEFINITIONS',
  'FACTORY_PRICES',
  'FACTORY_CONCURRENCY',
  'FACTORY_NPM_REGISTRY',
  'FACTORY_PYTHON_INDEX',
  'FACTORY_NUGET_PACKAGES',
  'NUGET_PACKAGES',
  'FACTORY_RESOURCE_MANAGER_URL',
  'FACTORY_TELEMETRY_FILE',
  'FACTORY_CRASH_AT',
  'FACTORY_CRASH_LOG',
];

export type Addresses = { readonly controlPort: number; readonly brokerPort: number };
export type SandboxName = 'bubblewrap' | 'process';

export const controlUrl = (addresses: Addresses): string => `http://127.0.0.1:${addresses.controlPort}`;

/** How each process of the plane is started on this machine. Every role has its own process, data and identity. */
export function processPlans(layout: Layout, addresses: Addresses, sandbox: SandboxName): readonly ProcessPlan[] {
  const shared = sharedEnvironment();
  const serviceBus = `Endpoint=sb://127.0.0.1:${addresses.brokerPort};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`;
  const host = (
    name: ProcessName,
    port: number,
    environment: Record<string, string>,
    more: readonly string[],
  ): ProcessPlan => ({
    name,
    arguments: [HOST, '--app', ROOT, '--port', String(port), '--data', layout.host(name), ...more],
    environment: { ...shared, FACTORY_ROLE: name, FACTORY_SERVICE_BUS: serviceBus, ...environment },
    ready: /^functions-host ready /m,
    logFile: layout.log(name),
  });
  const worker = (name: ProcessName): ProcessPlan =>
    host(
      name,
      0,
      {
        FACTORY_CONTROL_URL: controlUrl(addresses),
        FACTORY_CREDENTIAL_FILE: credentialPath(layout.plane, name),
        FACTORY_DATA: layout.work(name),
        FACTORY_SANDBOX: sandbox,
      },
      ['--in-process'],
    );
  const plans: Record<ProcessName, ProcessPlan> = {
    broker: {
      name: 'broker',
      arguments: [
        BROKER,
        '--port',
        String(addresses.brokerPort),
        '--data',
        layout.broker,
        '--config',
        layout.brokerConfig,
      ],
      environment: shared,
      ready: /^service-bus ready /m,
      logFile: layout.log('broker'),
    },
    control: host(
      'control',
      addresses.controlPort,
      { FACTORY_DATA: layout.plane, FACTORY_IDENTITY: 'local', FACTORY_PUBLIC_URL: controlUrl(addresses) },
      ['--reserve', String(LIMITS.http.vitalPlaces), '--reserve-for', VITAL_ROUTES.join(',')],
    ),
    station: worker('station'),
    verifier: worker('verifier'),
    effector: worker('effector'),
  };
  return PROCESSES.map((name) => plans[name]);
}

function sharedEnvironment(): Record<string, string> {
  const passed = Object.entries(process.env).filter(([name]) => PASSED.test(name) || SETTINGS.includes(name));
  return Object.fromEntries(passed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
