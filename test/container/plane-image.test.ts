import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../docs/documents.ts';

const instructions = readFileSync(path.join(root, 'container/plane/Dockerfile'), 'utf8')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => !line.startsWith('#') && line !== '');
const of = (instruction: string): string[] =>
  instructions.flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : []));

test('its base is given with a digest, and packages are installed by the release’s lockfile without their scripts', () => {
  expect(of('ARG')).toEqual(['BASE']);
  expect(of('FROM').every((base) => /^\$\{BASE\}( AS packages)?$/.test(base))).toBe(true);
  expect(of('COPY')).toEqual([
    'package.json package-lock.json *.tgz ./',
    '--from=packages /app/node_modules ./node_modules',
  ]);
  expect(of('RUN')[0]).toMatch(/^npm ci .*--ignore-scripts/);
  expect(instructions.join('\n')).not.toMatch(/\b(ADD|curl|wget|sudo|chmod|latest)\b/);
});

test('it runs as nobody below a first process, holds what the sandbox needs and keeps its data in a volume of that user', () => {
  expect(of('USER')).toEqual(['10001:10001']);
  expect(instructions.findLastIndex((line) => line.startsWith('RUN '))).toBeLessThan(
    instructions.findIndex((line) => line.startsWith('USER ')),
  );
  expect(JSON.parse(of('ENTRYPOINT')[0]!)).toEqual(['tini', '--', 'node', 'node_modules/agent-factory/cli/bin.js']);
  expect(JSON.parse(of('CMD')[0]!)).toEqual(['up']);
  const installing = of('RUN').at(-1)!;
  for (const needed of ['bubblewrap', 'git', 'tini', 'util-linux'])
    expect(installing).toMatch(new RegExp(` ${needed}\\b`));
  expect(installing).toContain('--no-install-recommends');
  expect(installing).toContain('install -d -o 10001 -g 10001 -m 0700 /data');
  expect([of('ENV').join(), of('VOLUME').join()]).toEqual([expect.stringContaining('FACTORY_DATA=/data'), '["/data"]']);
  expect(of('HEALTHCHECK')).toHaveLength(1);
});
