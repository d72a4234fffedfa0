import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allChecks } from '../../scripts/infra/checks/all.ts';
import { sourceOf } from '../../scripts/infra/compiled/as-bicep.ts';
import { readCompiled } from '../../scripts/infra/compiled/document.ts';
import { parseExpression } from '../../scripts/infra/compiled/expression.ts';
import { compileWith } from '../../scripts/infra/compiler.ts';
import { runOnCompiled } from '../../scripts/infra/finding.ts';
import { fileByDescription } from '../../scripts/infra/landing.ts';
import { base, code } from './landing.ts';

const compiled = readFileSync(path.join(import.meta.dirname, 'compiled', 'main.json'), 'utf8');
const read = (text: string) => readCompiled(text, fileByDescription(base));
const findings = (text: string): string =>
  runOnCompiled(read(text), allChecks(code))
    .map(({ check, where, what }) => `${check} ${where} ${what}`)
    .join('\n');
/** The compiled template with one text replaced; it must be there. */
const edited = (from: string, to: string): string => {
  if (!compiled.includes(from)) throw new Error(`the compiled template has no ${from}`);
  return compiled.replace(from, () => to);
};

test('a compiled template is read as the files it was made from, modules and all', () => {
  const documents = read(compiled);
  expect(documents.map(({ file }) => file)).toEqual([
    'modules/private-endpoint.bicep',
    'modules/keyvault.bicep',
    'workload.bicep',
    'main.bicep',
  ]);
  const vault = documents[1]!;
  expect(vault.resources.map(({ name, type }) => `${name} ${type}`)).toContain(
    'wrapping Microsoft.KeyVault/vaults/keys',
  );
  expect(vault.modules).toMatchObject([{ name: 'keysEndpoint', path: 'modules/private-endpoint.bicep' }]);
});

test('it passes the checks over resources that the source passes', () => {
  expect(findings(compiled)).toBe('');
});

describe('a fault of the compiled template is found', () => {
  test.each([
    [
      '"Microsoft.KeyVault/vaults",\n                      "apiVersion": "2024-11-01"',
      '"Microsoft.KeyVault/vaults",\n                      "apiVersion": "2019-09-01"',
      '2 modules/keyvault.bicep:1 Microsoft.KeyVault/vaults is pinned to 2024-11-01',
    ],
    [
      "__bicep._1.vaultName('kv-keys', parameters('token'))]\",\n                      \"location\"",
      'uniqueString(\'a\')]",\n                      "location"',
      '5 modules/keyvault.bicep',
    ],
    ['"name": "pe-keys-vault"', '"name": "[uniqueString(parameters(\'token\'))]"', '5 modules/keyvault.bicep'],
    [
      '"tags": "[parameters(\'site\').tags]",\n                      "properties": {\n                        "tenantId"',
      '"properties": {\n                        "tenantId"',
      '6 modules/keyvault.bicep:1 keys has no tags',
    ],
    [
      "\"publicNetworkAccess\": \"[if(variables('private'), 'Disabled', 'Enabled')]\"",
      '"publicNetworkAccess": "Enabled"',
      '7 modules/keyvault.bicep:1 keys: properties.publicNetworkAccess is Enabled',
    ],
    ['"defaultAction": "Deny"', '"defaultAction": "Allow"', '7 modules/keyvault.bicep'],
    [
      '"group": { "value": "vault" }',
      '"group": { "value": "registry" }',
      '8 modules/keyvault.bicep:1 keys has no private endpoint of vault',
    ],
    ['"enableRbacAuthorization": true', '"enableRbacAuthorization": false', '11 modules/keyvault.bicep'],
    [
      "vaults/{0}/keys/{1}', __bicep._1.vaultName('kv-keys', parameters('token')), 'wrapping')",
      "vaults/{0}', __bicep._1.vaultName('kv-keys', parameters('token')))",
      '13 modules/keyvault.bicep:1 keyCryptoUser on Microsoft.KeyVault/vaults: not the narrowest scope',
    ],
    ['"workspaceId": "[parameters(\'site\').workspaceId]"', '"workspaceId": "elsewhere"', '22 modules/keyvault.bicep'],
    ['"level": "CanNotDelete"', '"level": "ReadOnly"', '25 modules/keyvault.bicep'],
    ['"[parameters(\'softDeleteDays\')]"', '"[utcNow(\'dd\')]"', '26 modules/keyvault.bicep'],
    [
      '"kty": "RSA"',
      '"kty": "RSB"',
      "requests modules/keyvault.bicep:1 wrapping: properties.kty is 'RSB', and takes EC, EC-HSM, RSA, RSA-HSM",
    ],
    [
      '"enableSoftDelete"',
      '"enableSoftDeletion"',
      'requests modules/keyvault.bicep:1 keys: properties.enableSoftDeletion is no name of the request',
    ],
  ])('%j → %j', (from, to, words) => {
    expect(findings(edited(from, to))).toContain(words);
  });
});

test.each([
  ["if(equals(parameters('a'), 'x'), variables('_1.b'), null())", "a == 'x' ? b : null"],
  ["not(empty(parameters('a')))", '!empty(a)'],
  ["coalesce(tryGet(parameters('site').zoneIds, 'x'), createArray())", "site.zoneIds[?'x'] ?? []"],
  ["format('{0}-{1}''s', parameters('a'), copyIndex())", `'\${a}-\${index}\\'s'`],
  ["reference('account').primaryEndpoints.blob", 'account.properties.primaryEndpoints.blob'],
  ["reference('account', '2025-06-01', 'full').identity", 'account.identity'],
  ["__bicep.resourceName('sb', parameters('workload'))", "resourceName('sb', workload)"],
  ["and(variables('a'), greater(parameters('n'), 3))", 'a && n > 3'],
])('%s is written in Bicep as %s', (expression, source) => {
  expect(sourceOf(parseExpression(expression), () => undefined)).toBe(source);
});

test.each(['if(equals(', "parameters('a'", 'a b', '', "'open", '('.repeat(200)])('%j is no expression', (text) => {
  expect(() => parseExpression(text)).toThrow(/not an expression/);
});

test('what is no compiled template is refused', () => {
  expect(() => read('{"resources": 3}')).toThrow(/is no compiled template/);
});

/** A `bicep` on PATH that answers what it is told: no compiler is at hand here. */
function bicepThatSays(stdout: string, status = 0): NodeJS.ProcessEnv {
  const directory = mkdtempSync(path.join(tmpdir(), 'bicep-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(path.join(directory, 'said.json'), stdout);
  const script = `#!/bin/sh\n[ "$1" = build ] && /bin/cat "${path.join(directory, 'said.json')}"\n[ "$1" = --version ] && exit 0\nexit ${status}\n`;
  writeFileSync(path.join(directory, 'bicep'), script);
  chmodSync(path.join(directory, 'bicep'), 0o755);
  return { PATH: directory };
}

test('where a compiler is on PATH its template gets the same checks', () => {
  const good = compileWith('infra', base, allChecks(code), bicepThatSays(compiled));
  expect(good).toEqual({ kind: 'ran', faults: [] });
  const bad = compileWith(
    'infra',
    base,
    allChecks(code),
    bicepThatSays(edited('"level": "CanNotDelete"', '"level": "ReadOnly"')),
  );
  expect(bad).toMatchObject({ kind: 'ran', faults: [expect.stringContaining('25 modules/keyvault.bicep')] });
  const other = compileWith('infra', base, allChecks(code), bicepThatSays('nothing'));
  expect(other).toMatchObject({ kind: 'ran', faults: [expect.stringContaining('build main.bicep')] });
  const failing = compileWith('infra', base, allChecks(code), bicepThatSays(compiled, 1));
  expect(failing.kind === 'ran' && failing.faults.length).toBe(4);
  expect(compileWith('infra', base, allChecks(code), { PATH: '' })).toEqual({ kind: 'absent' });
});
