import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileWith } from '../../scripts/infra/compiler.ts';
import { functionsOfRole } from '../../scripts/infra/functions-of-role.ts';
import { base, root } from './landing.ts';

const infra = path.join(root, 'infra');
let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'infra-scripts-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a compiler that is there is asked, and what it finds is told', () => {
  const bicep = path.join(directory, 'bicep');
  writeFileSync(
    bicep,
    '#!/bin/sh\n[ "$1" = build ] && echo \'{"resources":[]}\'\n[ "$1" = lint ] && { echo "Error no-unused-params" >&2; exit 1; }\nexit 0\n',
  );
  chmodSync(bicep, 0o755);
  const environment = { PATH: directory };
  expect(compileWith(infra, base, [], environment)).toMatchObject({
    kind: 'ran',
    faults: [expect.stringContaining('no-unused-params')],
  });
  expect(compileWith(infra, base, [], { PATH: path.join(directory, 'none') })).toEqual({ kind: 'absent' });
});

test('the functions a role must list are its pools, or what control registers', async () => {
  expect(await functionsOfRole(root, 'effector')).toEqual(['pool-effect', 'pool-fetch']);
  expect(await functionsOfRole(root, 'control')).toEqual(
    expect.arrayContaining(['sweep', 'anchor', 'request', 'superviseRequest', 'health', 'jobs-claim']),
  );
  await expect(functionsOfRole(root, 'planner')).rejects.toThrow('There is no role planner');
});
