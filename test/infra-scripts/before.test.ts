import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../docs/documents.ts';
import { type Rule, scriptedAz } from './scripted-az.ts';

const environment = {
  FACTORY_SQL_ADMIN_GROUP: 'admins',
  FACTORY_SQL_ADMIN_GROUP_ID: 'group-1',
  FACTORY_API_CLIENT_ID: 'client-1',
  FACTORY_POLICY_OWNER_ID: 'owner-1',
  FACTORY_ALERT_EMAILS: 'ops@example.com',
  FACTORY_BUDGET_START: '2026-01-01',
  FACTORY_ALLOWED_RANGES: '203.0.113.0/24',
};
const READY: readonly Rule[] = [
  ['az account show*', 'sub-1'],
  ['az provider show*', 'Registered'],
  ['az policy definition show*'],
  ['az ad group show*'],
  ['az ad app show*oauth2PermissionScopes*', 'scope-1'],
  ['az ad app show*appRoles*', 'role-1'],
  ['az ad app show*'],
  ['az stack sub list*', ''],
  ['az network vnet list*', '[{"name":"hub","ranges":["10.0.0.0/16"]},{"name":"old","ranges":null}]'],
  ['az network list-usages*', ''],
  ['az functionapp list-flexconsumption-locations*', 'North Europe\nWest Europe'],
  ['az keyvault list-deleted*', ''],
];
const DEPLOYED: readonly Rule[] = [
  ['az stack sub list*', 'factory-dev'],
  ['az identity list*', 'principal-1'],
  ['az rest --method get*', 'assignment-1'],
];
const CHANGES = / (create|add|post|patch|delete|update|register|start|assign) /;

describe('preflight', () => {
  const run = (rules: readonly Rule[], more: Readonly<Record<string, string>> = {}) => {
    const az = scriptedAz();
    az.answers(rules);
    const ended = az.run('preflight.sh', ['dev'], { environment: { ...environment, ...more } });
    const calls = az.calls();
    // It looks, and never touches.
    expect(calls.filter((call) => CHANGES.test(call))).toEqual([]);
    return { ...ended, calls };
  };

  test('finds nothing where all is ready, before the first deployment and after it', () => {
    for (const rules of [READY, [...DEPLOYED, ...READY]]) {
      const { status, stdout, calls } = run(rules);
      expect([status, stdout]).toEqual([0, 'preflight: nothing found\n']);
      const policies = readFileSync(path.join(root, 'infra/modules/policy.bicep'), 'utf8').match(
        /id: '[0-9a-f-]{36}'/g,
      );
      expect(calls.filter((call) => call.includes('policy definition show'))).toHaveLength(policies?.length ?? 0);
    }
  });

  test('names every fault, not the first alone', () => {
    const { status, stderr } = run(
      [
        ['az provider show --namespace Microsoft.DurableTask*', 'NotRegistered'],
        ['az provider show --namespace Microsoft.App *', { fails: 1 }],
        ['az ad group show*', { fails: 3 }],
        ['az functionapp list-flex*', 'North Europe'],
        ...READY,
      ],
      { FACTORY_POLICY_OWNER_ID: '', FACTORY_ALLOWED_RANGES: '0.0.0.0/0', FACTORY_BUDGET_START: '2026-01-15' },
    );
    expect(status).toBe(1);
    for (const fault of [
      'FACTORY_POLICY_OWNER_ID is not set',
      'range 0.0.0.0/0 is no IPv4 CIDR',
      'FACTORY_BUDGET_START is not the first of a month',
      'Microsoft.DurableTask is NotRegistered: az provider register --namespace Microsoft.DurableTask',
      'Microsoft.App is unknown',
      'the group of the SQL administrators does not exist',
      'westeurope has no Flex Consumption',
      '7 faults',
    ])
      expect(stderr).toContain(fault);
  });

  test.each<[string, readonly Rule[], string]>([
    [
      'no app registration',
      [['az ad app show --id client-1 --output none', { fails: 3 }]],
      'does not exist: run scripts/entra.sh first',
    ],
    ['no scope', [['az ad app show*oauth2PermissionScopes*', '']], 'nobody gets a token'],
    ['an app role missing', [["az ad app show*'verifier'*", '']], 'no app role verifier'],
    [
      'an identity without its app role',
      [['az rest --method get*', 'a', '', 'a'], ...DEPLOYED],
      'the identity of verifier has no app role',
    ],
  ])('Entra: %s is a fault', (_what, rules, said) => {
    expect(run([...rules, ...READY])).toMatchObject({ status: 1, stderr: expect.stringContaining(said) });
  });

  const at = '0d1f7a52-5b0e-4f0e-9d53-2a1c0f4e7a01';
  const rights = (...roleDefinitionIds: string[]) => ({
    FACTORY_DEPLOYMENT_RIGHTS: JSON.stringify([{ subscriptionId: at, roleDefinitionIds }]),
  });
  const role = '4d97b98b-1d4f-4787-a291-c67834d212e7';
  test('looks up what the effector is to deploy as, and says when that is everything', () => {
    const named = (name: string): Rule => [`az role definition list --name ${role} --subscription ${at}*`, name];
    expect(run([named('Network Contributor'), ...READY], rights(role))).toMatchObject({ status: 0 });
    expect(run(READY, rights()).calls.filter((call) => call.includes(' role '))).toEqual([]);
    const owner = run([named('Owner'), ...READY], rights(role));
    expect(owner).toMatchObject({ status: 0, stderr: expect.stringContaining(`becomes Owner of ${at}`) });
    const none = run([named(''), ...READY], rights(role));
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining(`names the role ${role}, which`) });
  });

  test.each([
    ['{', 'it is no JSON'],
    [JSON.stringify([{ subscriptionId: 'mine', roleDefinitionIds: [] }]), 'Invalid GUID'],
    [rights('bf7f8882-3383-422a-806a-6526c631a88a').FACTORY_DEPLOYMENT_RIGHTS, 'given anyway'],
    [rights(role, role).FACTORY_DEPLOYMENT_RIGHTS, 'named once'],
    [JSON.stringify([1, 2].map(() => ({ subscriptionId: at, roleDefinitionIds: [] }))), 'one entry'],
  ])('rights that the templates would not take are a fault: %s', (text, said) => {
    expect(run(READY, { FACTORY_DEPLOYMENT_RIGHTS: text })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(new RegExp(`FACTORY_DEPLOYMENT_RIGHTS: .*${said}`)),
    });
  });

  test('warns of ranges that overlap, quotas used up, names that are taken', () => {
    const { status, stderr } = run([
      [
        'az network vnet list*',
        '[{"name":"hub","ranges":["10.40.1.0/24"]},{"name":"all","ranges":["10.0.0.0/8","fd00::/48"]}]',
      ],
      ['az network list-usages*', 'Public IPv4\nNAT gateways'],
      ['az keyvault list-deleted*', 'kv-old'],
      ...READY,
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('warning: 10.40.0.0/23 overlaps hub (10.40.1.0/24), all (10.0.0.0/8)');
    expect(stderr).toContain('Public IPv4, NAT gateways');
    expect(stderr).toContain('kv-old');
  });
});

describe('entra', () => {
  const NEW: readonly Rule[] = [
    ['az ad app list*', ''],
    ['az ad app create*', 'client-1'],
    ['az ad sp list*', ''],
    ['az ad sp create*'],
    ['az ad app show*', ''],
    ['az rest --method patch*'],
    ['az stack sub list*', ''],
  ];
  const DONE: readonly Rule[] = [
    ['az ad app list*', 'client-1'],
    ['az ad sp list*', 'sp-1'],
    ['az ad app show*', 'there'],
    ['az ad sp show*', 'sp-1'],
    ['az ad group member check*', 'true'],
    ...DEPLOYED,
  ];
  const run = (rules: readonly Rule[], more = environment) => {
    const az = scriptedAz();
    az.answers(rules);
    const ended = az.run('entra.sh', ['dev'], { environment: more });
    return { ...ended, changes: az.calls().filter((call) => CHANGES.test(call)) };
  };

  test('before the deployment makes the registration, its roles, its scope, and lets the Azure CLI in', () => {
    const { status, stdout, stderr, changes } = run(NEW);
    expect([status, stdout]).toEqual([0, 'FACTORY_API_CLIENT_ID=client-1\n']);
    expect(stderr).toContain('not deployed yet');
    expect(changes.map((call) => call.split(' ').slice(1, 4).join(' '))).toEqual([
      'ad app create',
      'ad sp create',
      'rest --method patch',
      'rest --method patch',
    ]);
    const bodies = changes.slice(2).map((call) => JSON.parse(call.slice(call.indexOf('{'))));
    expect(bodies[0].api.requestedAccessTokenVersion).toBe(2);
    expect(bodies[0].api.oauth2PermissionScopes[0]).toMatchObject({
      value: 'Factory.Use',
      type: 'User',
      isEnabled: true,
    });
    expect(bodies[1].api.preAuthorizedApplications[0].delegatedPermissionIds).toEqual([
      bodies[0].api.oauth2PermissionScopes[0].id,
    ]);
    const roles = changes[0]?.slice(changes[0].indexOf('['), changes[0].lastIndexOf(']') + 1) ?? '';
    expect(roles).toContain('"value":"station"');
  });

  test('after it gives what is missing, and nothing the second time', () => {
    const missing = run([
      ['az rest --method get*', ''],
      ['az ad group member check*', 'false'],
      ['az rest --method post*'],
      ['az ad group member add*'],
      ...DONE,
    ]);
    expect(missing.status).toBe(0);
    expect(missing.changes.filter((call) => call.includes('appRoleAssignments'))).toHaveLength(3);
    expect(missing.changes.at(-1)).toBe('az ad group member add --group group-1 --member-id principal-1');
    expect(run(DONE)).toMatchObject({ status: 0, changes: [] });
  });

  test.each<[string, readonly Rule[], string]>([
    ['two registrations of the name', [['az ad app list*', 'client-1\nclient-2']], 'more than one app registration'],
    ['an identity that is not there', [['az identity list*', '']], 'has no identity of the role station'],
    ['an app role that is not there', [['az ad app show*appRoles*', '']], 'has no app role station'],
  ])('refuses %s, and changes nothing', (_what, rules, said) => {
    expect(run([...rules, ...DONE])).toMatchObject({ status: 1, stderr: expect.stringContaining(said), changes: [] });
  });

  test('names the value it lacks', () => {
    expect(run(DONE, {} as typeof environment)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not set: FACTORY_SQL_ADMIN_GROUP_ID'),
    });
  });
});

test('validate looks offline first, then asks the compiler and the subscription, and stops at the first fault', () => {
  const az = scriptedAz();
  az.answers([['az bicep --version', { fails: 1 }], ['az bicep build*'], ['az bicep lint*', { fails: 1 }]]);
  const { status, stdout } = az.run('validate.sh', ['dev']);
  expect([status, stdout]).toEqual([1, expect.stringContaining(' findings')]);
  expect(az.calls().slice(-2)).toEqual([
    'az bicep build --file infra/main.bicep --stdout',
    'az bicep lint --file infra/main.bicep',
  ]);
});
