import { textAt, type Value, within } from '../bicep/value.ts';
import type { Code } from '../code.ts';
import { LEFT_OUT, READ_BY_PLATFORM, READ_OF_CONNECTION } from '../contract/settings.ts';
import type { Check, Fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { settingsOf } from './identity.ts';
import { asksFor } from './watching.ts';

const where = 'workload.bicep';

/** Settings by name with a value of the right form in place of what only a deployment knows. */
function given(value: Value | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of value === undefined ? [] : within(value)) {
    if (part.kind !== 'object') continue;
    for (const { name, value: setting } of part.properties)
      found.set(name, setting.kind === 'text' && !setting.interpolated ? setting.text : example(name));
  }
  return found;
}

/** A value of the form that a setting takes, by its name. */
function example(name: string): string {
  if (/PRINCIPALS$/.test(name)) return 'policy_owner=00000000-0000-4000-8000-000000000000';
  if (/TENANT|AUDIENCE|CLIENT/.test(name)) return '00000000-0000-4000-8000-000000000000';
  if (/SECONDS|CONCURRENCY/.test(name)) return '30';
  if (/CONNECTION_STRING$/.test(name)) return 'InstrumentationKey=00000000-0000-4000-8000-000000000000';
  if (/_KEY$/.test(name)) return `https://vault.example.org/keys/${name.toLowerCase().replaceAll('_', '-')}`;
  if (/SERVER$|__fullyQualifiedNamespace$/.test(name)) return 'host.example.org';
  if (/PRICES$/.test(name)) return '{"version":"1","currency":"EUR","perSecond":{}}';
  if (/DATABASE$|_NAME$/.test(name)) return 'factory';
  return 'https://example.org';
}

/** What each role is given: the containers share a part, control's public address is added by its module. */
function byRole(landing: Landing, code: Code): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const parts = settingsOf(landing);
  const shared = given(parts.get('container'));
  const variable = (module: string, name: string): Value | undefined =>
    templateOf(landing, module)?.variables.find((each) => each.name === name)?.value;
  const app = (role: string): [string, string][] => [
    ...given(variable('modules/function-app.bicep', 'platformSettings')),
    ...given(parts.get(role)),
  ];
  const jobs = variable('modules/worker-job.bicep', 'jobSettings');
  const job = (role: string): [string, string][] =>
    [...shared, ...given(jobs), ...given(parts.get(role))].map(([name, value]) =>
      name === 'FACTORY_POOL' ? [name, code.pools.find((pool) => pool.role === role)?.name ?? ''] : [name, value],
    );
  return new Map([
    [
      'control',
      new Map([
        ...app('control'),
        ...given(parts.get('scheduler')),
        ...given(variable('modules/function-app.bicep', 'publicSettings')),
      ]),
    ],
    ['effector', new Map(app('effector'))],
    ['station', new Map(job('station'))],
    ['verifier', new Map(job('verifier'))],
    ['migrator', given(parts.get('migrator'))],
  ]);
}

/** Settings that the Functions host reads for the triggers of a worker role that is deployed as a function app. */
function ofConnections(landing: Landing, code: Code, role: string): readonly string[] {
  const hosted = templateOf(landing, where)?.modules.some(
    (module) => module.path === 'modules/function-app.bicep' && textAt(module.body, 'params.role') === role,
  );
  if (!hosted || !code.pools.some((pool) => pool.role === role)) return [];
  return [...code.connections].flatMap((name) => READ_OF_CONNECTION.map((suffix) => `${name}${suffix}`));
}

function* settings(landing: Landing, code: Code): Iterable<Fault> {
  const roles = byRole(landing, code);
  const all = new Set([...roles.values()].flatMap((names) => [...names.keys()]));
  for (const [role, names] of roles) yield* settingsOfOne(landing, code, role, names);
  for (const name of code.settings)
    if (!all.has(name) && LEFT_OUT[name] === undefined)
      yield { where, what: `the code reads ${name}, and no template gives it` };
  for (const name of Object.keys(LEFT_OUT)) {
    if (all.has(name))
      yield { where: 'contract/settings.ts', what: `${name} is given by a template: it is not left out` };
    if (!code.settings.has(name))
      yield { where: 'contract/settings.ts', what: `${name} is read by no code: take it off the list` };
  }
}

/** What a role is given is what it reads, and enough for it to start. */
function* settingsOfOne(
  landing: Landing,
  code: Code,
  role: string,
  names: ReadonlyMap<string, string>,
): Iterable<Fault> {
  const own = code.settingsOfRole[role] ?? [];
  const connections = ofConnections(landing, code, role);
  for (const name of names.keys()) {
    if (READ_BY_PLATFORM.test(name)) continue;
    if (connections.includes(name) || code.settingsOfAll.has(name)) continue;
    if (!own.includes(name)) yield { where, what: `${role} is given ${name}, and does not read it` };
    else if (!code.settings.has(name)) yield { where, what: `${name}: no code reads it` };
  }
  for (const name of connections)
    if (!names.has(name)) yield { where, what: `the triggers of ${role} connect by ${name}, which is not given` };
  if (names.has('FACTORY_ROLE') && names.get('FACTORY_ROLE') !== role)
    yield { where, what: `${role} is told to be ${names.get('FACTORY_ROLE')}` };
  for (const name of code.refusals(role, Object.fromEntries(names)))
    yield { where, what: `${role} would not start: it refuses ${name}` };
}

/** The role that control needs on what an address it is given leads to, by the type of resource. */
const NEEDED: Readonly<Record<string, string>> = {
  'Microsoft.Storage/storageAccounts/blobServices/containers': 'blobContributor',
  'Microsoft.Storage/storageAccounts/tableServices/tables': 'tableContributor',
  'Microsoft.KeyVault/vaults/keys': 'keyCryptoUser',
};

/** Whatever control is told the address of, it has the rights for, at exactly that resource. */
function* rights(landing: Landing): Iterable<Fault> {
  const workload = templateOf(landing, where);
  const told = settingsOf(landing).get('control')?.source ?? '';
  for (const [, name = '', module = '', output = ''] of told.matchAll(/(FACTORY_\w+): (\w+)\.outputs\.(\w+)/g)) {
    const path = workload?.modules.find((each) => each.name === module)?.path ?? '';
    const document = templateOf(landing, path);
    const value = document?.outputs.find((each) => each.name === output)?.value.source ?? '';
    const leadsTo = document?.resources.find(
      (resource) => NEEDED[resource.type] !== undefined && new RegExp(`\\b${resource.name}\\.`).test(value),
    );
    if (document === undefined || leadsTo === undefined) continue;
    const role = NEEDED[leadsTo.type] ?? '';
    const assigned = document.resources.some(
      (resource) =>
        resource.type === 'Microsoft.Authorization/roleAssignments' &&
        textAt(resource.body, 'scope') === leadsTo.name &&
        textAt(resource.body, 'properties.principalId') === 'controlPrincipalId' &&
        resource.body.source.includes(`roleIds.${role}`),
    );
    if (!assigned) yield { where: path, what: `control is told of ${leadsTo.name} by ${name} and is no ${role} on it` };
  }
}

function* queues(landing: Landing, code: Code): Iterable<Fault> {
  const file = 'shared/pools.bicep';
  const list = templateOf(landing, file)?.variables.find((variable) => variable.name === 'pools')?.value;
  const made =
    list?.kind === 'array'
      ? list.items.map((item) => [...given(item)].map(([key, value]) => `${key}=${value}`).join(' '))
      : [];
  const wanted = code.pools.map((pool) => `name=${pool.name} role=${pool.role}`);
  for (const pool of wanted)
    if (!made.includes(pool)) yield { where: file, what: `the code has a pool ${pool}, the templates have not` };
  for (const pool of made)
    if (!wanted.includes(pool)) yield { where: file, what: `the templates have a pool ${pool}, the code has not` };
  const bus = templateOf(landing, 'modules/servicebus.bicep')?.resources.find((resource) =>
    resource.type.endsWith('namespaces/queues'),
  );
  if (bus?.loop !== 'pools' || !bus.body.source.includes('name: pool.name'))
    yield { where: 'modules/servicebus.bicep', what: 'queues are not made from the pools' };
}

function* roles(landing: Landing, code: Code): Iterable<Fault> {
  const file = 'shared/pools.bicep';
  const list = templateOf(landing, file)?.variables.find((variable) => variable.name === 'roles')?.value;
  const made = list?.kind === 'array' ? list.items.map((item) => (item.kind === 'text' ? item.text : item.source)) : [];
  if (made.join(' ') !== code.roles.join(' '))
    yield { where: file, what: `roles are ${made.join(', ')}, in the code ${code.roles.join(', ')}` };
  const identities = templateOf(landing, 'modules/identities.bicep')?.outputs.map((output) => output.name) ?? [];
  for (const role of code.roles)
    if (!identities.includes(role)) yield { where: 'modules/identities.bicep', what: `role ${role} has no identity` };
  const told = byRole(landing, code);
  for (const role of code.roles)
    if (told.get(role)?.get('FACTORY_ROLE') !== role) yield { where, what: `nothing runs as ${role}` };
}

function* telemetry(landing: Landing, code: Code): Iterable<Fault> {
  const asked = [...landing.files]
    .filter(([file]) => file.startsWith('queries/'))
    .map(([file, text]) => ({ file, ...asksFor(text) }));
  for (const { file, metrics, events } of asked) {
    for (const metric of metrics) if (!code.metrics.has(metric)) yield { where: file, what: `nothing emits ${metric}` };
    for (const event of events) if (!code.events.has(event)) yield { where: file, what: `no code logs ${event}` };
  }
  const metrics = new Set(asked.flatMap((query) => query.metrics));
  const events = new Set(asked.flatMap((query) => query.events));
  for (const metric of code.metrics.keys()) {
    if (!metrics.has(metric)) yield { where: 'queries', what: `the code emits ${metric}, and no query shows it` };
  }
  for (const event of code.events)
    if (!events.has(event)) yield { where: 'queries', what: `the code logs ${event}, and no query shows it` };
}

/** What runs a repository's program, or an agent's, is there only where its sandbox is. */
function* sandboxed(landing: Landing): Iterable<Fault> {
  const workload = templateOf(landing, where);
  const ready = workload?.variables.find(({ name }) => name === 'workersReady')?.value.source;
  if (ready !== '!empty(workerImage) && !empty(sandboxImage)')
    yield { where, what: `workersReady is ${ready ?? 'not set'}, and says nothing of the sandbox` };
  for (const module of workload?.modules ?? [])
    if (module.path === 'modules/worker-job.bicep' && module.condition !== 'workersReady')
      yield {
        where,
        what: `${module.name} is made without a sandbox: its hints would start it again and again, to refuse`,
      };
}

function* host(landing: Landing, code: Code): Iterable<Fault> {
  const text = templateOf(landing, where)?.text ?? '';
  const gateway = 'modules/ingress-api-management.bicep';
  const passed = templateOf(landing, gateway)?.variables.find(({ name }) => name === 'methods')?.value.source ?? '';
  for (const method of code.methods)
    if (!passed.includes(`'${method}'`))
      yield { where: gateway, what: `the API is called by ${method}, which is not let through` };
  for (const path of ['/runtime/', '/admin/', '/api/v1/pools/', '/api/v1/jobs/'])
    if (!new RegExp(`var closedPaths = .*'${path}'`).test(text))
      yield { where, what: `${path} is not closed at the ingress` };
  if (!/var openPaths = \['\/api\/v1\/\*'\]/.test(text))
    yield { where, what: 'the ingress opens more, or less, than /api/v1' };
  for (const file of ['ingress-front-door', 'ingress-api-management'])
    if (!templateOf(landing, `modules/${file}.bicep`)?.text.match(/closedPaths[,\n ]/g)?.[1])
      yield { where: `modules/${file}.bicep`, what: 'does not close the closed paths' };
}

/** Jobs that a worker runs at once = messages that its platform hands to it, or reckons for it: one that holds more than it works on makes them wait. */
function* concurrency(landing: Landing, code: Code): Iterable<Fault> {
  const effector = templateOf(landing, where)?.variables.find(({ name }) => name === 'effectorConcurrency');
  if (effector?.value.source !== String(code.host.messagesAnInstance))
    yield {
      where,
      what: `effectorConcurrency is ${effector?.value.source ?? 'not set'}, and host.json hands an instance ${code.host.messagesAnInstance} messages (maxConcurrentCalls)`,
    };
  const given = textAt(settingsOf(landing).get('effector'), 'FACTORY_CONCURRENCY');
  if (given !== 'string(effectorConcurrency)')
    yield { where, what: `the effector is told to run ${given ?? 'its default'} at once, not effectorConcurrency` };
  const told = (name: string): string | undefined => {
    const value = textAt(settingsOf(landing).get('effector'), name);
    return value === 'effectorTimeout'
      ? templateOf(landing, where)
          ?.variables.find((variable) => variable.name === value)
          ?.value.source.replaceAll("'", '')
      : value;
  };
  const timeout = told('AzureFunctionsJobHost__functionTimeout') ?? code.host.timeout;
  const renewal =
    told('AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration') ?? code.host.renewal;
  // All are of one form, so that text compares as time does.
  if (renewal < timeout)
    yield { where, what: `locks of the effector are renewed for ${renewal}, and a function of it may run ${timeout}` };
  if (timeout <= code.effectorJob)
    yield {
      where,
      what: `a function of the effector may run ${timeout}, and a job of it ${code.effectorJob}: it has to report that too`,
    };
  if (code.host.renewal < code.host.timeout)
    yield {
      where: 'host.json',
      what: `locks are renewed for ${code.host.renewal}, and a function may run ${code.host.timeout}`,
    };
  const file = 'modules/worker-job.bicep';
  const job = templateOf(landing, file);
  const atOnce = textAt(job?.variables.find(({ name }) => name === 'jobSettings')?.value, 'FACTORY_CONCURRENCY');
  const reckoned = /messageCount: ([^ ]+)/.exec(job?.text ?? '')?.[1];
  if (atOnce === undefined || atOnce !== reckoned)
    yield {
      where: file,
      what: `a container runs ${atOnce} jobs at once, and its scaler reckons ${reckoned} hints for it`,
    };
}

/** Checks that templates and code say the same, both ways. */
export const agreementChecks = (code: Code): readonly Check[] => [
  { id: 'settings', title: 'settings given = settings read, and accepted', run: (landing) => settings(landing, code) },
  { id: 'rights', title: 'what control is told of, it has the rights for', run: rights },
  { id: 'queues', title: 'queues = pools', run: (landing) => queues(landing, code) },
  { id: 'roles', title: 'roles of the templates = roles of the code', run: (landing) => roles(landing, code) },
  { id: 'telemetry', title: 'names asked for = names emitted', run: (landing) => telemetry(landing, code) },
  {
    id: 'at once',
    title: 'jobs a worker runs = messages it is handed, for as long as they may last',
    run: (landing) => concurrency(landing, code),
  },
  { id: 'sandbox', title: 'no stations and no verifier without a sandbox', run: sandboxed },
  { id: 'ingress', title: 'only the API is open, and nothing of the host', run: (landing) => host(landing, code) },
];
