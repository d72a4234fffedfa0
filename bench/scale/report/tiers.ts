import { figure } from '../../report/table.ts';
import type { LineDemand } from '../demand/line.ts';
import type { Profile } from '../profiles/profile.ts';
import { PROD } from '../profiles/profiles.ts';
import { BINDS_AT, SERVICES } from '../services/all.ts';
import { type Load, offered, type ServiceModel } from '../services/service-model.ts';
import { markdown } from './tables.ts';

/** Sizes of a service, as changes of `prod`; `applications` where the limit is one of each application. */
type Tier = { readonly service: string; readonly size: string; readonly change: Partial<Profile> };

const functions = (maximumInstanceCount: number): Profile['controlScale'] => ({
  ...PROD.controlScale,
  maximumInstanceCount,
});
const executions = (maximumExecutions: number): Profile['jobScale'] => ({ ...PROD.jobScale, maximumExecutions });
const tier = (service: string, size: string, change: Partial<Profile>): Tier => ({ service, size, change });

const TIERS: readonly Tier[] = [
  tier('sandbox sessions', '5, cooldown 600 s (dev)', { maximumSessions: 5 }),
  tier('sandbox sessions', '50, cooldown 600 s (prod)', {}),
  tier('sandbox sessions', '600, cooldown 600 s', { maximumSessions: 600 }),
  tier('sandbox sessions', '50, ended after use', { sessionCooldownSeconds: 0 }),
  tier('sandbox sessions', '600, ended after use', { maximumSessions: 600, sessionCooldownSeconds: 0 }),
  tier('pool verify: workers', '5 executions (dev)', { jobScale: executions(5) }),
  tier('pool verify: workers', '50 executions (prod)', {}),
  tier('pool verify: workers', '300 executions, 256 leases', { jobScale: executions(300) }),
  tier('pool packages: workers', '50 executions (prod)', {}),
  tier('pool build: workers', '50 executions (prod)', {}),
  tier('pool plan: workers', '50 executions (prod)', {}),
  tier('pool fetch: workers', '40 instances, four jobs each (prod)', {}),
  tier('pool effect: workers', '40 instances, four jobs each (prod)', {}),
  tier('audit stream of an application', 'one, General Purpose (prod)', {}),
  tier('audit stream of an application', 'one, Hyperscale', { sqlSku: 'HS_Gen5' }),
  tier('audit stream of an application', 'one, Business Critical', { sqlSku: 'BC_Gen5' }),
  tier('key vault: operations', 'RSA 3072 (templates)', {}),
  tier('key vault: operations', 'RSA 2048', { wrappingKeyBits: 2048 }),
  tier('sql: processor', '1 core (dev)', { sqlVCores: 1 }),
  tier('sql: processor', '4 cores (prod)', {}),
  tier('sql: processor', '16 cores', { sqlVCores: 16 }),
  tier('sql: log rate', 'General Purpose, 4 cores (prod)', {}),
  tier('sql: log rate', 'Business Critical, 4 cores', { sqlSku: 'BC_Gen5' }),
  tier('service bus: operations', 'Standard (dev)', { busSku: 'Standard' }),
  tier('service bus: operations', 'Premium, 1 unit (prod)', {}),
  tier('service bus: operations', 'Premium, 4 units', { busCapacity: 4 }),
  tier('orchestrations: actions', 'Azure Storage, one instance', { durableBackend: 'azureStorage' }),
  tier('orchestrations: actions', 'scheduler, Consumption (dev)', { dtsSku: 'Consumption' }),
  tier('orchestrations: actions', 'scheduler, 3 units (prod)', {}),
  tier('control: processor', '40 instances (dev)', { controlScale: functions(40) }),
  tier('control: processor', '100 instances (prod)', {}),
  tier('control: requests at once', '100 instances of 2,048 MB (prod)', {}),
  tier('blob storage: requests', 'a standard account', {}),
  tier('activity table: entities of an application', 'one', {}),
  tier('open requests of an application', 'one', {}),
];

/** Requests an hour that fill a service to where it binds. */
function carried(service: ServiceModel, profile: Profile, line: LineDemand): number {
  const of = (requestsPerHour: number): Load => ({ line, requestsPerHour, applications: 1 });
  const idle = offered(service, profile, of(0));
  return (BINDS_AT - idle) / (offered(service, profile, of(1)) - idle);
}

/** What each tier of each service carries. */
export function tierTable(line: LineDemand): string {
  const rows = TIERS.map(({ service: name, size, change }) => {
    const service = SERVICES.find((each) => each.name === name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    const profile = { ...PROD, ...change };
    const load: Load = { line, requestsPerHour: 1, applications: 1 };
    return [
      name,
      size,
      `${figure(service.capacity(profile, load))} ${service.unit}`,
      figure(service.demand(load, profile)),
      figure(Math.floor(carried(service, profile, line))),
    ];
  });
  return markdown(['service', 'tier', 'takes', 'a request asks', 'requests an hour'], rows);
}
