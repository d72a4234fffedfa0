import { expect, test } from 'vitest';
import { requestsCompared } from '../../scripts/infra/checks/requests.ts';
import { SOURCES, UNPUBLISHED } from '../../scripts/infra/requests/packages.ts';
import { base, files } from './landing.ts';

const readme = files.get('README.md') ?? '';

test('the README names every parameter, and every variable that a parameter file reads', () => {
  const parameters = base.templates.find(({ file }) => file === 'main.bicep')?.parameters.map(({ name }) => name) ?? [];
  expect(parameters.length).toBeGreaterThan(50);
  expect(parameters.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  const variables = base.parameterFiles.flatMap(({ text }) =>
    [...text.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name = '']) => name),
  );
  expect(variables.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

test('its diagram is even, and shows every subnet, identity and pool', () => {
  const [, diagram = ''] = /```\n( people[\s\S]*?)```/.exec(readme) ?? [];
  const box = diagram.split('\n').filter((line) => /^ [┌│└]/.test(line));
  expect([...new Set(box.map((line) => [...line].length))]).toHaveLength(1);
  for (const name of ['snet-control', 'snet-effector', 'snet-workers', 'snet-endpoints', 'snet-gateway', 'job-migrate'])
    expect(diagram).toContain(name);
});

test('what it says of the requests is what the check says', () => {
  const [own = ''] = requestsCompared();
  const [, all, at, near] = /of (\d+) types (\d+) are compared at it, (\d+) at a neighbouring/.exec(own) ?? [];
  const types = Object.keys(SOURCES).length + Object.keys(UNPUBLISHED).length;
  expect(readme.replace(/\s+/g, ' ')).toContain(
    `${all} of ${types} types: ${at} at the API version that the template uses, ${near} at a neighbouring one`,
  );
});
