import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileWith } from '../../scripts/infra/compiler.ts';
import { functionsOfRole } from '../../scripts/infra/functions-of-role.ts';
import { files, root } from './landing.ts';

const infra = path.join(root, 'infra');
let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'infra-scripts-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const scripts = [...files.keys()].filter((file) => file.startsWith('scripts/'));

test.each(scripts)('%s parses', (file) => {
  expect(spawnSync('bash', ['-n', path.join(infra, file)], { encoding: 'utf8' }).stderr).toBe('');
});

test.each(scripts.filter((file) => !file.endsWith('environment.sh')))(
  '%s refuses an environment that is not there',
  (file) => {
    const run = spawnSync('bash', [path.join(infra, file), 'moon'], { encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('main.moon.bicepparam');
  },
);

describe('with an az that answers what it is told', () => {
  const run = (script: string, answers: string, ...args: string[]) => {
    const az = path.join(directory, 'az');
    writeFileSync(az, `#!/usr/bin/env bash\necho "$*" >>"${directory}/calls"\n${answers}\n`);
    chmodSync(az, 0o755);
    return spawnSync('bash', [path.join(infra, 'scripts', script), ...args], {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH: `${directory}:${process.env['PATH'] ?? ''}` },
    });
  };

  test('deploy refuses a plan that is not the approved one, before anything is asked', () => {
    writeFileSync(path.join(directory, 'plan.json'), '{}');
    const { status, stderr } = run('deploy.sh', 'exit 99', 'dev', 'plan.json', 'abc');
    expect(status).toBe(1);
    expect(stderr).toContain('not the plan that was approved');
  });

  test('deploy refuses when what would change has changed', () => {
    writeFileSync(path.join(directory, 'plan.json'), '{}\n');
    const digest = createHash('sha256').update('{}\n').digest('hex');
    const { status, stderr } = run(
      'deploy.sh',
      '[[ "$*" == *what-if* ]] && echo "{\\"changes\\":[1]}" || exit 99',
      'dev',
      'plan.json',
      digest,
    );
    expect(status).toBe(1);
    expect(stderr).toContain('look again');
  });

  test('preflight names everything that is missing', () => {
    const { status, stderr } = run(
      'preflight.sh',
      '[[ "$*" == "provider show"*DurableTask* ]] && echo NotRegistered; [[ "$*" == "provider show"* ]] && echo Registered; exit 0',
      'dev',
    );
    expect(status).toBe(1);
    expect(stderr).toContain('FACTORY_SQL_ADMIN_GROUP is not set');
    expect(stderr).toContain('Microsoft.DurableTask is NotRegistered');
    expect(stderr).toContain('FACTORY_ALLOWED_RANGES is not set');
  });

  test('migrate fails with its execution when that fails', () => {
    const { status, stderr } = run(
      'migrate.sh',
      'case "$*" in *MIGRATION_JOB*) echo job-migrate;; *"job start"*) echo run-1;; *execution*) echo Failed;; esac',
      'dev',
    );
    expect(status).toBe(1);
    expect(stderr).toContain('run-1 is Failed');
  });
});

test('a compiler that is there is asked, and what it finds is told', () => {
  const bicep = path.join(directory, 'bicep');
  writeFileSync(bicep, '#!/bin/sh\n[ "$1" = lint ] && { echo "Error no-unused-params" >&2; exit 1; }\nexit 0\n');
  chmodSync(bicep, 0o755);
  const environment = { PATH: directory };
  expect(compileWith(infra, environment)).toMatchObject({
    kind: 'ran',
    faults: [expect.stringContaining('no-unused-params')],
  });
  expect(compileWith(infra, { PATH: path.join(directory, 'none') })).toEqual({ kind: 'absent' });
});

test('the functions a role must list are its pools, or what control registers', async () => {
  expect(await functionsOfRole(root, 'effector')).toEqual(['pool-effect', 'pool-fetch']);
  expect(await functionsOfRole(root, 'control')).toEqual(
    expect.arrayContaining(['sweep', 'anchor', 'request', 'superviseRequest', 'health', 'jobs-claim']),
  );
  await expect(functionsOfRole(root, 'planner')).rejects.toThrow('There is no role planner');
});
