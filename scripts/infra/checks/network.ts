import type { Document, Resource } from '../bicep/document.ts';
import { at, textAt, type Value } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { KINDS } from '../resource-kinds.ts';

/** The value at a path, literals by content and everything else by source. */
const shown = (body: Value, path: string): string | undefined => textAt(body, path)?.replace(/\s+/g, ' ');

export function* expectValues(
  document: Document,
  resource: Resource,
  expected: Readonly<Record<string, string>>,
): Iterable<Fault> {
  for (const [path, value] of Object.entries(expected)) {
    const actual = shown(resource.body, path);
    if (actual !== value)
      yield fault(document, resource.line, `${resource.name}: ${path} is ${actual ?? 'not set'}, not ${value}`);
  }
}

function* closedResources(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents) {
    for (const resource of document.resources)
      if (!resource.existing) yield* expectValues(document, resource, KINDS[resource.type]?.closed ?? {});
    const mode = document.variables.find((variable) => variable.name === 'private');
    if (mode !== undefined && !/networkMode == 'private'$/.test(mode.value.source))
      yield fault(document, mode.line, `private is ${mode.value.source}, not networkMode == 'private'`);
    const rules = document.variables.find((variable) => variable.name === 'networkRules');
    if (rules !== undefined && textAt(rules.value, 'defaultAction') !== 'Deny')
      yield fault(document, rules.line, 'networkRules do not deny by default');
    for (const match of document.text.matchAll(/0\.0\.0\.0(?:\/0)?/g))
      yield { where: document.file, what: `lets in everybody (${match[0]})` };
  }
}

function* closed(landing: Landing): Iterable<Fault> {
  for (const document of landing.templates)
    for (const resource of document.resources) {
      const rules = textAt(resource.body, 'properties.networkAcls.ipRules');
      if (resource.type !== 'Microsoft.Storage/storageAccounts' || rules === undefined) continue;
      if (!rules.includes("replace(range, '/32', '')"))
        yield fault(
          document,
          resource.line,
          `${resource.name}: storage refuses a range of /32, which is how one address is let in`,
        );
    }
  const site = templateOf(landing, 'workload.bicep')?.variables.find((variable) => variable.name === 'site');
  if (textAt(site?.value, 'allowedIpRanges') !== 'private ? [] : allowedIpRanges')
    yield { where: 'workload.bicep', what: 'address ranges are let in under private' };
  for (const file of landing.parameterFiles) {
    const value = (name: string) => file.variables.find((variable) => variable.name === name)?.value;
    if (textAt(object(value('networkMode')), 'v') !== 'private') continue;
    if (textAt(object(value('busSku')), 'v') !== 'Premium')
      yield { where: file.file, what: 'private needs Service Bus Premium: Standard has no private endpoint' };
    if (value('allowedIpRanges')?.source !== '[]')
      yield { where: file.file, what: 'private with address ranges let in' };
  }
}

/** Wraps a value so that a path can be asked of it. */
const object = (value: Value | undefined): Value | undefined =>
  value && { kind: 'object', source: value.source, line: value.line, properties: [{ name: 'v', value }] };

function* endpoints(landing: Landing): Iterable<Fault> {
  const dns = templateOf(landing, 'modules/private-dns.bicep');
  const zones = dns?.variables.find((variable) => variable.name === 'zones')?.value;
  const zoned = new Set(zones?.kind === 'array' ? zones.items.map((zone) => textAt(zone, 'group')) : []);
  if (
    !dns?.resources.some(
      (resource) =>
        resource.type === 'Microsoft.Network/privateDnsZones/virtualNetworkLinks' && resource.loop?.includes('zones'),
    )
  )
    yield { where: 'modules/private-dns.bicep', what: 'zones are not linked to the network' };
  for (const document of landing.templates)
    for (const resource of document.resources)
      for (const group of groupsOf(document, resource))
        if (!zoned.has(group)) yield fault(document, resource.line, `${group} has no private DNS zone`);
}

function* reachedPrivately(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents)
    for (const resource of document.resources) {
      if (resource.existing) continue;
      const groups = groupsOf(document, resource);
      for (const group of needed(document, resource))
        if (!groups.includes(group))
          yield fault(document, resource.line, `${resource.name} has no private endpoint of ${group}`);
    }
}

/** Sub-resources of a resource that have a private endpoint in its file. */
function groupsOf(document: Document, resource: Resource): readonly string[] {
  return document.modules
    .filter(
      (module) =>
        module.path.endsWith('private-endpoint.bicep') &&
        textAt(module.body, 'params.targetId') === `${resource.name}.id`,
    )
    .flatMap((module) => {
      const group = at(module.body, 'params.group');
      return group?.kind === 'text' && !group.interpolated
        ? [group.text]
        : [...(module.loop ?? '').matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
    });
}

/** A storage account whose queues or tables are used needs those endpoints too. */
function needed(document: Document, resource: Resource): readonly string[] {
  const used = (service: string): boolean =>
    document.resources.some((other) => other.type.endsWith(service) && textAt(other.body, 'parent') === resource.name);
  return [
    ...(KINDS[resource.type]?.endpoints ?? []),
    ...(used('/queueServices') ? ['queue'] : []),
    ...(used('/tableServices') ? ['table'] : []),
  ];
}

function* subnets(landing: Landing): Iterable<Fault> {
  const document = templateOf(landing, 'modules/network.bicep');
  const workload = templateOf(landing, 'workload.bicep');
  const list = document?.variables.find((variable) => variable.name === 'subnets')?.value;
  const network = document?.resources.find((resource) => resource.type === 'Microsoft.Network/virtualNetworks');
  const loop = at(network?.body, 'properties.subnets');
  if (document === undefined || list?.kind !== 'array' || network === undefined || loop?.kind !== 'loop') {
    yield { where: 'modules/network.bicep', what: 'subnets are not one list that the network is made from' };
    return;
  }
  const expected = {
    'properties.defaultOutboundAccess': 'false',
    'properties.addressPrefix': 'cidrSubnet(addressPrefix, 26, index)',
    'properties.networkSecurityGroup.id': 'securityGroup[index].id',
    'properties.natGateway': "ownEgress && subnet.name != 'snet-endpoints' ? { id: natGateway.id } : null",
    'properties.routeTable': 'ownEgress ? null : { id: egressRouteTableId }',
  };
  for (const [path, value] of Object.entries(expected))
    if (shown(loop.body, path) !== value)
      yield fault(document, loop.line, `subnets: ${path} is ${shown(loop.body, path) ?? 'not set'}, not ${value}`);
  for (const subnet of list.items) {
    const name = textAt(subnet, 'name') ?? '';
    const use = name.replace(/^snet-/, '');
    if (name.includes('_'))
      yield fault(document, subnet.line, `${name}: Flex Consumption refuses a subnet with an underscore`);
    const delegation = textAt(subnet, 'delegation');
    const wanted =
      use === 'endpoints' ? '' : use === 'gateway' ? 'Microsoft.Web/serverFarms' : 'Microsoft.App/environments';
    if (delegation !== wanted)
      yield fault(
        document,
        subnet.line,
        `${name} is delegated to ${delegation || 'nothing'}, not to ${wanted || 'nothing'}`,
      );
    if (!/deny/i.test(textAt(subnet, 'rules') ?? ''))
      yield fault(document, subnet.line, `${name} does not deny what it does not allow`);
    const uses = workload?.text.match(new RegExp(`subnetIds\\.${use}\\b`, 'g'))?.length ?? 0;
    if (wanted !== '' && uses !== 1)
      yield fault(document, subnet.line, `${name} is used by ${uses} apps: a delegated subnet is one app's`);
  }
}

function* broughtAlong(landing: Landing): Iterable<Fault> {
  const workload = templateOf(landing, 'workload.bicep');
  const where = 'workload.bicep';
  for (const name of [
    'existingNetworkId',
    'existingSubnetIds',
    'existingPrivateDnsZoneIds',
    'policyManagedPrivateDns',
    'existingWorkspaceId',
    'egressRouteTableId',
  ])
    if (!workload?.parameters.some((parameter) => parameter.name === name))
      yield { where, what: `no parameter ${name}: an organisation can't bring its own` };
  const condition = (path: string) => workload?.modules.find((module) => module.path === path)?.condition;
  const variable = (name: string) => workload?.variables.find((item) => item.name === name)?.value.source;
  if (condition('modules/network.bicep') !== 'ownNetwork' || variable('ownNetwork') !== 'empty(existingNetworkId)')
    yield { where, what: 'the network is made although one is given' };
  if (
    condition('modules/private-dns.bicep') !== 'ownZones' ||
    variable('ownZones') !== 'empty(existingPrivateDnsZoneIds) && !policyManagedPrivateDns'
  )
    yield { where, what: 'zones are made although they are given or kept by policy' };
  const group = templateOf(landing, 'modules/private-endpoint.bicep')?.resources.find((resource) =>
    resource.type.endsWith('/privateDnsZoneGroups'),
  );
  if (group?.condition !== '!empty(zones)')
    yield { where: 'modules/private-endpoint.bicep', what: 'a zone group is written although policy keeps them' };
}

export const networkChecks: readonly Check[] = [
  { id: '7', title: 'closed to the public, deny by default', onResources: closedResources, run: closed },
  {
    id: '8',
    title: 'private endpoint, zone and link for every sub-resource',
    onResources: reachedPrivately,
    run: endpoints,
  },
  { id: '9', title: 'subnets: delegation, exclusivity, size, rules, way out', run: subnets },
  { id: '10', title: "an organisation's own network, zones and policies", run: broughtAlong },
];
