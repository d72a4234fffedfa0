import { type Value, within } from '../bicep/value.ts';
import type { Code } from '../code.ts';
import { FAULTS_AHEAD, LEFT_OUT, READ_BY_PLATFORM, SETTINGS_AHEAD } from '../contract/settings.ts';
import { TELEMETRY_AHEAD } from '../contract/telemetry.ts';
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

function example(name: string): string {
  if (/TENANT|AUDIENCE|CLIENT/.test(name)) return '00000000-0000-4000-8000-000000000000';
  if (/SECONDS|CONCURRENCY/.test(name)) return '30';
  return 'https://example.org';
}

/** What each role is given: the containers share a part, control's public address is added by its module. */
function byRole(landing: Landing): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const parts = settingsOf(landing);
  const shared = given(parts.get('container'));
  const app = templateOf(landing, 'modules/function-app.bicep')?.variables.find(
    (variable) => variable.name === 'publicSettings',
  )?.value;
  const job =
    /union\(settings, (\{ FACTORY_POOLS: pool \})\)/.exec(
      templateOf(landing, 'modules/worker-job.bicep')?.text ?? '',
    ) === null
      ? []
      : [['FACTORY_POOLS', 'pool'] as const];
  return new Map([
    ['control', new Map([...given(parts.get('control')), ...given(parts.get('scheduler')), ...given(app)])],
    ['effector', given(parts.get('effector'))],
    ['station', new Map([...shared, ...job, ...given(parts.get('station'))])],
    ['verifier', new Map([...shared, ...job, ...given(parts.get('verifier'))])],
    ['migrator', given(parts.get('migrator'))],
  ]);
}

function* settings(landing: Landing, code: Code): Iterable<Fault> {
  const platform = templateOf(landing, 'modules/function-app.bicep')?.variables.find(
    (variable) => variable.name === 'platformSettings',
  )?.value;
  for (const name of given(platform).keys())
    if (!READ_BY_PLATFORM.test(name)) yield { where: 'modules/function-app.bicep', what: `${name}: nobody reads it` };
  const roles = byRole(landing);
  const all = new Set([...roles.values()].flatMap((names) => [...names.keys()]));
  const base = (name: string): string => name.split('__')[0] ?? name;
  for (const name of all)
    if (!READ_BY_PLATFORM.test(name) && !code.settings.has(base(name)) && SETTINGS_AHEAD[name] === undefined)
      yield { where, what: `${name}: no code reads it` };
  for (const name of Object.keys(SETTINGS_AHEAD)) {
    if (code.settings.has(name))
      yield {
        where: 'contract/settings.ts',
        what: `${name} is read by the code now: take it off the list of what is ahead`,
      };
    if (!all.has(name))
      yield { where: 'contract/settings.ts', what: `${name} is given by no template: take it off the list` };
  }
  for (const [role, names] of Object.entries(code.settingsOfRole)) {
    const set = new Set([...(roles.get(role)?.keys() ?? [])].map(base));
    for (const name of names)
      if (!set.has(name) && LEFT_OUT[name] === undefined && !optionalFor(code, role, name, roles))
        yield { where, what: `${role} reads ${name}, and the templates do not give it` };
  }
  for (const name of code.settings) {
    const known = [...all].some((item) => base(item) === name) || LEFT_OUT[name] !== undefined;
    if (!known) yield { where, what: `the code reads ${name}, and no template gives it` };
  }
  for (const name of Object.keys(LEFT_OUT)) {
    if (all.has(name))
      yield { where: 'contract/settings.ts', what: `${name} is given by a template: it is not left out` };
    if (!code.settings.has(name))
      yield { where: 'contract/settings.ts', what: `${name} is read by no code: take it off the list` };
  }
  for (const [role, names] of roles) {
    if (names.has('FACTORY_ROLE') && names.get('FACTORY_ROLE') !== role)
      yield { where, what: `${role} is told to be ${names.get('FACTORY_ROLE')}` };
    if (role === 'migrator') continue;
    const refused = code.refusals(role, Object.fromEntries(names));
    const ahead = FAULTS_AHEAD[role] ?? [];
    for (const name of refused)
      if (!ahead.includes(name)) yield { where, what: `${role} would not start: it refuses ${name}` };
    for (const name of ahead)
      if (!refused.includes(name))
        yield {
          where: 'contract/settings.ts',
          what: `${role} takes ${name} now: take it off the list of faults ahead`,
        };
  }
}

/** A setting with a default may be given to one role of several and left to the others. */
const optionalFor = (code: Code, role: string, name: string, roles: ReturnType<typeof byRole>): boolean =>
  [...roles].some(([other, names]) => other !== role && names.has(name)) && !code.refusals(role, {}).includes(name);

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
  const told = byRole(landing);
  for (const role of code.roles)
    if (told.get(role)?.get('FACTORY_ROLE') !== role) yield { where, what: `nothing runs as ${role}` };
}

function* telemetry(landing: Landing, code: Code): Iterable<Fault> {
  const asked = [...landing.files]
    .filter(([file]) => file.startsWith('queries/'))
    .map(([file, text]) => ({ file, ...asksFor(text) }));
  for (const { file, metrics, messages } of asked) {
    for (const metric of metrics)
      if (!code.metrics.has(metric) && TELEMETRY_AHEAD[metric] === undefined)
        yield { where: file, what: `nothing emits ${metric}` };
    for (const message of messages)
      if (!code.messages.has(message)) yield { where: file, what: `no code logs "${message}"` };
  }
  const metrics = new Set(asked.flatMap((query) => query.metrics));
  const messages = new Set(asked.flatMap((query) => query.messages));
  for (const metric of code.metrics) {
    if (!metrics.has(metric)) yield { where: 'queries', what: `the code emits ${metric}, and no query shows it` };
    if (TELEMETRY_AHEAD[metric] !== undefined)
      yield {
        where: 'contract/telemetry.ts',
        what: `the code emits ${metric} now: take it off the list of what is ahead`,
      };
  }
  for (const metric of Object.keys(TELEMETRY_AHEAD))
    if (!metrics.has(metric))
      yield { where: 'contract/telemetry.ts', what: `${metric} is asked for by no query: take it off the list` };
  for (const message of code.messages)
    if (!messages.has(message)) yield { where: 'queries', what: `the code logs "${message}", and no query shows it` };
}

function* host(landing: Landing): Iterable<Fault> {
  const text = templateOf(landing, where)?.text ?? '';
  for (const path of ['/runtime/', '/admin/', '/api/v1/pools/', '/api/v1/jobs/'])
    if (!new RegExp(`var closedPaths = .*'${path}'`).test(text))
      yield { where, what: `${path} is not closed at the ingress` };
  if (!/var openPaths = \['\/api\/v1\/\*'\]/.test(text))
    yield { where, what: 'the ingress opens more, or less, than /api/v1' };
  for (const file of ['ingress-front-door', 'ingress-api-management'])
    if (!templateOf(landing, `modules/${file}.bicep`)?.text.match(/closedPaths[,\n ]/g)?.[1])
      yield { where: `modules/${file}.bicep`, what: 'does not close the closed paths' };
}

/** Checks that templates and code say the same, both ways. */
export const agreementChecks = (code: Code): readonly Check[] => [
  { id: 'settings', title: 'settings given = settings read, and accepted', run: (landing) => settings(landing, code) },
  { id: 'queues', title: 'queues = pools', run: (landing) => queues(landing, code) },
  { id: 'roles', title: 'roles of the templates = roles of the code', run: (landing) => roles(landing, code) },
  { id: 'telemetry', title: 'names asked for = names emitted', run: (landing) => telemetry(landing, code) },
  { id: 'ingress', title: 'only the API is open, and nothing of the host', run: host },
];
