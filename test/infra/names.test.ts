import { describe, expect, test } from 'vitest';
import { check, edited } from './landing.ts';

/** File, from, to, and the words of the finding. */
const FAULTS: readonly (readonly [string, string, string, string])[] = [
  ['modules/servicebus.bicep', 'output hostName', 'output fullName', 'modules/servicebus.bicep has no output hostName'],
  ['modules/servicebus.bicep', "private ? 'Disabled'", "closed ? 'Disabled'", 'nothing is called closed'],
  ['modules/keyvault.bicep', 'parent: keys\n', 'parent: vault\n', 'nothing is called vault'],
  ['modules/keyvault.bicep', "import { roleIds } from '../shared/roles.bicep'\n", '', 'nothing is called roleIds'],
  ['modules/keyvault.bicep', 'import { roleIds }', 'import { rightIds }', 'exports no rightIds'],
  [
    'modules/keyvault.bicep',
    'import { siteType }',
    'import { siteType, groupType }',
    'groupType is imported and used by nothing',
  ],
  ['modules/keyvault.bicep', 'param site siteType', 'param site placeType', 'no type is called placeType'],
  [
    'shared/names.bicep',
    "@export()\n@description('Name of a vault",
    "@description('Name of a vault",
    'exports no vaultName',
  ],
  [
    'modules/servicebus.bicep',
    "'sb', workload, environmentName, token",
    "'sb', workload, token",
    'takes 4 arguments, and gets 3',
  ],
  ['modules/servicebus.bicep', 'name: guid(', 'name: uuid(', 'no function is called uuid'],
  ['modules/servicebus.bicep', 'site.zoneRedundant', 'site.zones', 'site has no zones'],
  [
    'modules/alerts.bicep',
    'scopes: [resourceGroup().id]',
    'scopes: [resourceGroups().id]',
    'no function is called resourceGroups',
  ],
  [
    'modules/servicebus.bicep',
    '[for (pool, index) in pools: {',
    '[for (pool, at) in pools: {',
    'nothing is called index',
  ],
  [
    'modules/budget.bicep',
    'param contacts',
    "@description('Nobody.')\nparam nobody string = ''\n@description('To whom.')\nparam contacts",
    'nobody is used by nothing',
  ],
];

describe('a name that leads nowhere is found', () => {
  test.each(FAULTS)('%s: %j → %j', async (file, from, to, words) => {
    const found = (await check(edited(file, from, to))).filter((finding) => finding.check === 'names');
    expect(found.map(({ what }) => what).join('\n')).toContain(words);
  });
});
