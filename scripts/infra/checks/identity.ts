import type { Document, Resource } from '../bicep/document.ts';
import { at, textAt, type Value } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { KINDS, ROLE_SCOPES } from '../resource-kinds.ts';
import { expectValues } from './network.ts';

const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments';

function* localAuth(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents)
    for (const resource of document.resources)
      if (!resource.existing) yield* expectValues(document, resource, KINDS[resource.type]?.localAuth ?? {});
}

/** The objects of settings in the composition, by the role they are for. */
export function settingsOf(landing: Landing): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  const workload = templateOf(landing, 'workload.bicep');
  for (const variable of workload?.variables ?? [])
    if (variable.name.endsWith('Settings')) found.set(variable.name.replace(/Settings$/, ''), variable.value);
  const migration = workload?.modules.find((module) => module.path === 'modules/migration-job.bicep');
  const settings = at(migration?.body, 'params.settings');
  if (settings !== undefined) found.set('migrator', settings);
  return found;
}

function* identities(landing: Landing): Iterable<Fault> {
  const made = templateOf(landing, 'modules/identities.bicep');
  for (const name of ['control', 'station', 'verifier', 'effector', 'migrator', 'puller'])
    if (!made?.resources.some((resource) => resource.name === name))
      yield { where: 'modules/identities.bicep', what: `no identity of ${name}` };
  for (const [role, value] of settingsOf(landing)) {
    const names = [...value.source.matchAll(/^\s*([A-Za-z_]+):/gm)].map(([, name = '']) => name);
    for (const name of names.filter((item) => item.endsWith('__credential'))) {
      const client = name.replace(/credential$/, 'clientId');
      if (!names.includes(client))
        yield { where: 'workload.bicep', what: `${role}: ${name} without ${client}: which identity is left open` };
    }
    if (names.includes('FACTORY_ROLE') && !names.includes('AZURE_CLIENT_ID'))
      yield { where: 'workload.bicep', what: `${role}: no AZURE_CLIENT_ID` };
    for (const [, other = ''] of value.source.matchAll(/identities\.outputs\.(\w+)\.clientId/g)) {
      const own = role === 'scheduler' ? 'control' : role;
      // The migrator makes control's user, and so is told its client id.
      if (other !== own && !(role === 'migrator' && other === 'control'))
        yield { where: 'workload.bicep', what: `${role} is given the identity of ${other}` };
    }
  }
}

function* runAs(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents)
    for (const resource of document.resources) {
      if (resource.type === 'Microsoft.Web/sites' || resource.type === 'Microsoft.App/jobs') {
        if (textAt(resource.body, 'identity.type') !== 'UserAssigned')
          yield fault(document, resource.line, `${resource.name} does not run under a user-assigned identity`);
      }
      if (resource.type === 'Microsoft.App/jobs')
        yield* hiddenPuller(document, resource, 'properties.configuration.identitySettings');
      if (resource.type === 'Microsoft.App/sessionPools')
        yield* hiddenPuller(document, resource, 'properties.managedIdentitySettings');
    }
}

/** Whatever runs in a container can ask for every identity that is available in it. */
function* hiddenPuller(document: Document, resource: Resource, path: string): Iterable<Fault> {
  const settings = at(resource.body, path);
  const items = settings?.kind === 'array' ? settings.items : [];
  const lifecycle = items.find((item) => textAt(item, 'identity') === 'pullerId');
  if (textAt(lifecycle, 'lifecycle') !== 'None')
    yield fault(document, resource.line, `${resource.name}: the identity that pulls images is available inside`);
}

function* assignments(landing: Landing): Iterable<Fault> {
  const ids = templateOf(landing, 'shared/roles.bicep')?.variables.find(
    (variable) => variable.name === 'roleIds',
  )?.value;
  for (const property of ids?.kind === 'object' ? ids.properties : []) {
    if (
      ROLE_SCOPES[property.name]?.id !==
      textAt({ ...property.value, kind: 'object', properties: [property] }, property.name)
    )
      yield {
        where: 'shared/roles.bicep',
        what: `${property.name} is not a role that resource-kinds.ts knows, by this id`,
      };
  }
}

/** The one file that assigns at a subscription. */
const DEPLOYER = 'modules/deployer.bicep';

function* scopes(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents.filter(({ file }) => file !== DEPLOYER))
    for (const resource of document.resources.filter((item) => item.type === ASSIGNMENT)) {
      const scope = textAt(resource.body, 'scope')?.replace(/\[.*\]$/, '');
      const on = document.resources.find((other) => other.name === scope)?.type;
      const role = /roleIds\.(\w+)/.exec(textAt(resource.body, 'properties.roleDefinitionId') ?? '')?.[1] ?? '';
      if (on === undefined)
        yield fault(document, resource.line, `${resource.name} is assigned at no resource of this file: too wide`);
      else if (!ROLE_SCOPES[role]?.on.includes(on))
        yield fault(document, resource.line, `${role || 'an unnamed role'} on ${on}: not the narrowest scope`);
      if (textAt(resource.body, 'properties.principalType') !== 'ServicePrincipal')
        yield fault(document, resource.line, `${resource.name}: principalType is not ServicePrincipal`);
      const name = textAt(resource.body, 'name') ?? '';
      const principal = textAt(resource.body, 'properties.principalId') ?? '?';
      if (
        !name.startsWith('guid(') ||
        !name.includes('.id') ||
        !name.includes(principal) ||
        !name.includes(`roleIds.${role}`)
      )
        yield fault(document, resource.line, `${resource.name}: the name is no guid of scope, principal and role`);
    }
}

/** Rights at a subscription are the effector's alone, by name of principal and role, and nobody's unless they are asked for. */
function* deployer(landing: Landing): Iterable<Fault> {
  const document = templateOf(landing, DEPLOYER);
  if (document === undefined) return yield { where: DEPLOYER, what: 'is missing' };
  for (const { body, line, name, type } of document.resources) {
    const role = /'Microsoft\.Authorization\/roleDefinitions', ([\w.]+)\)$/.exec(
      textAt(body, 'properties.roleDefinitionId') ?? '',
    )?.[1];
    if (
      type !== ASSIGNMENT ||
      (role !== 'roleIds.stackContributor' && role !== 'roleId') ||
      textAt(body, 'properties.principalId') !== 'principalId' ||
      textAt(body, 'properties.principalType') !== 'ServicePrincipal' ||
      textAt(body, 'name') !== `guid(subscription().id, principalId, ${role})`
    )
      yield fault(document, line, `${name} is not a named role of the given principal at the subscription`);
  }
  const main = templateOf(landing, 'main.bicep');
  const calls = landing.templates.flatMap((template) =>
    template.modules.filter(({ path }) => path.endsWith('deployer.bicep')),
  );
  const [only, ...more] = calls;
  if (
    main === undefined ||
    more.length > 0 ||
    !only?.loop?.endsWith('deploymentRights') ||
    textAt(only.body, 'params.principalId') !== 'workloadParts.outputs.identities.effector.principalId'
  )
    yield {
      where: 'main.bicep',
      what: 'rights at subscriptions go to another than the effector, or to more than deploymentRights says',
    };
  if (main?.parameters.find(({ name }) => name === 'deploymentRights')?.fallback?.source !== '[]')
    yield { where: 'main.bicep', what: 'deploymentRights gives rights that nobody asked for' };
  for (const file of landing.parameterFiles) {
    const given = file.variables.find(({ name }) => name === 'deploymentRights')?.value.source;
    if (given !== undefined && given !== "json(readEnvironmentVariable('FACTORY_DEPLOYMENT_RIGHTS', '[]'))")
      yield { where: file.file, what: 'deploymentRights gives rights that nobody asked for' };
  }
}

function* assignedAndDeployer(landing: Landing): Iterable<Fault> {
  yield* assignments(landing);
  yield* deployer(landing);
}

function* queueSplit(landing: Landing): Iterable<Fault> {
  const document = templateOf(landing, 'modules/servicebus.bicep');
  const assigned = (role: string) =>
    document?.resources.filter(
      (resource) => resource.type === ASSIGNMENT && resource.body.source.includes(`roleIds.${role}`),
    ) ?? [];
  const expected = { serviceBusSender: 'controlPrincipalId', serviceBusReceiver: 'principalOfRole[pool.role]' };
  for (const [role, principal] of Object.entries(expected)) {
    const [only, ...more] = assigned(role);
    if (document === undefined || only === undefined || more.length > 0)
      yield { where: 'modules/servicebus.bicep', what: `${role} is not assigned exactly once for each queue` };
    else if (
      textAt(only.body, 'properties.principalId') !== principal ||
      only.loop !== 'pools' ||
      !textAt(only.body, 'scope')?.startsWith('queue[')
    )
      yield fault(
        document,
        only.line,
        `${role} goes to ${textAt(only.body, 'properties.principalId')}, not queue by queue to ${principal}`,
      );
  }
  for (const other of landing.templates)
    if (other !== document && /roleIds\.serviceBus/.test(other.text))
      yield { where: other.file, what: 'gives rights on Service Bus outside modules/servicebus.bicep' };
}

export const identityChecks: readonly Check[] = [
  { id: '11', title: 'keys and passwords switched off', onResources: localAuth },
  { id: '12', title: 'an identity a role, named for every connection', onResources: runAs, run: identities },
  { id: '13', title: 'role assignments: narrow, deterministic, typed', onResources: scopes, run: assignedAndDeployer },
  { id: '14', title: 'sender and receiver split by queue', run: queueSplit },
];
