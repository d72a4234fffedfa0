import { expect, test } from 'vitest';
import { readDocument } from '../../scripts/infra/bicep/document.ts';
import { at, textAt } from '../../scripts/infra/bicep/value.ts';

test('a resource is read with its type, version, condition, loop and values', async () => {
  const document = await readDocument(
    'a.bicep',
    "resource q 'A.B/c/d@2020-01-01' = [for (pool, i) in pools: if (pool.on) {\n  name: pool.name\n  properties: { deny: on ? 'yes' : 'no', 'odata.type': 'x', list: [{ a: 1 }] }\n}]\n",
  );
  const [resource] = document.resources;
  expect(resource).toMatchObject({
    name: 'q',
    type: 'A.B/c/d',
    version: '2020-01-01',
    existing: false,
    condition: 'pool.on',
    loop: 'pools',
  });
  expect(at(resource!.body, 'properties.deny')).toMatchObject({ kind: 'choice', condition: 'on' });
  expect(textAt(resource!.body, 'properties.odata.type')).toBeUndefined();
  expect(textAt(resource!.body, 'properties.list')).toBe('[{ a: 1 }]');
});

test('a parameter is read with its type, fallback and decorators', async () => {
  const document = await readDocument(
    'a.bicep',
    "@description('How it\\'s sized.')\n@minValue(1)\nparam size 'a' | 'b' = 'a'\n",
  );
  const [parameter] = document.parameters;
  expect(parameter).toMatchObject({ name: 'size', type: "'a' | 'b'", line: 3 });
  expect(parameter!.fallback).toMatchObject({ kind: 'text', text: 'a' });
  expect(parameter!.decorators.get('description')).toMatchObject({ text: "How it's sized." });
});

test('a parameter file is read by its values', async () => {
  const document = await readDocument(
    'main.dev.bicepparam',
    "using 'main.bicep'\nparam size = 'a'\nparam shape = {\n  cores: 2\n}\n",
  );
  expect(document.using).toBe('main.bicep');
  expect(document.variables.map(({ name }) => name)).toEqual(['size', 'shape']);
});

test('a file that does not parse is refused with its place', async () => {
  await expect(readDocument('a.bicep', "resource x 'A/b@2020-01-01' = {\n  name 'x'\n}\n")).rejects.toThrow(
    /^a\.bicep:2:/,
  );
});
