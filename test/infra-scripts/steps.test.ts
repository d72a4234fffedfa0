import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { functionsOfRole } from '../../scripts/infra/functions-of-role.ts';
import { root } from '../docs/documents.ts';
import { type Rule, type ScriptedAz, scriptedAz } from './scripted-az.ts';

describe('migrate', () => {
  const of = (...states: Rule[2][]): readonly Rule[] => [
    ['az stack sub show --name factory-dev *MIGRATION_JOB*', 'job-migrate'],
    ['az containerapp job start --name job-migrate --resource-group rg-factory-dev *', 'run-1'],
    ['az containerapp job execution show*--job-execution-name run-1*', ...(states as string[])],
  ];
  const run = (rules: readonly Rule[]) => {
    const az = scriptedAz();
    az.answers(rules);
    return { ...az.run('migrate.sh', ['dev']), calls: az.calls() };
  };

  test('waits for the end of the execution it started', () => {
    const { status, stdout, calls } = run(of('Unknown', 'Running', 'Succeeded'));
    expect([status, stdout]).toEqual([0, 'migrate: run-1 succeeded\n']);
    expect(calls).toHaveLength(5);
  });

  test.each(['Failed', 'Stopped', 'Degraded'])('fails with the execution when that is %s', (state) => {
    expect(run(of('Running', state))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`run-1 is ${state}`),
    });
  });

  test('gives up after a bounded number of looks', () => {
    const { status, stderr, calls } = run(of('Running'));
    expect([status, stderr]).toEqual([1, expect.stringContaining('has not ended after 180 looks')]);
    expect(calls).toHaveLength(182);
  });

  test('says what to do when there is no job, or az does not say what it started', () => {
    expect(run([['az stack sub show*', 'None']]).stderr).toContain('set FACTORY_WORKER_IMAGE');
    const [show] = of();
    expect(run([show as Rule, ['az containerapp job start*', '']])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('did not say which execution'),
    });
  });
});

describe('publish', () => {
  const packaged = (az: ScriptedAz): string => {
    mkdirSync(path.join(az.directory, 'package'));
    writeFileSync(
      path.join(az.directory, 'package', 'host.json'),
      '{"version":"2.0","extensions":{"durableTask":{"hubName":"x","defaultVersion":"1"},"http":{"routePrefix":""}}}',
    );
    writeFileSync(path.join(az.directory, 'package', 'package-lock.json'), '{}');
    return 'package';
  };
  const publish = (az: ScriptedAz, role: string) =>
    az.run('publish.sh', ['dev', '--role', role, '--package', packaged(az)]);
  const of = (...lists: Rule[2][]): readonly Rule[] => [
    ['az stack sub show*EFFECTOR_NAME*', 'func-effector'],
    ['npm ci --omit=dev --ignore-scripts *--os=linux --cpu=x64*'],
    ['az functionapp deployment source config-zip --name func-effector*package.zip*'],
    ['az functionapp show --name func-effector*', '/sub/func-effector'],
    ['az rest --method post --url /sub/func-effector/syncfunctiontriggers*', { fails: 1 }, ''],
    ['az functionapp function list --name func-effector*', ...(lists as string[])],
  ];

  test('waits until the app lists the functions of the role, through syncs and lists that fail', async () => {
    const az = scriptedAz();
    const whole = (await functionsOfRole(root, 'effector')).map((name) => `func-effector/${name}`);
    az.answers(of({ fails: 1 }, '', whole[0] ?? '', whole.toReversed().join('\n')));
    const { status, stdout } = publish(az, 'effector');
    expect([status, stdout]).toEqual([0, `publish: func-effector lists the ${whole.length} functions of effector\n`]);
    const calls = az.calls();
    expect(calls.filter((call) => call.includes('config-zip'))).toHaveLength(1);
    // What the app gets holds its packages: nothing is built there.
    expect(calls.findIndex((call) => call.startsWith('npm ci'))).toBe(
      calls.findIndex((call) => call.includes('config-zip')) - 1,
    );
    expect(calls.filter((call) => call.includes('syncfunctiontriggers'))).toHaveLength(4);
  });

  test('gives up after a bounded number of looks, and says what is missing and what is too much', () => {
    const az = scriptedAz();
    az.answers(of('func-effector/pool-fetch\nfunc-effector/stranger'));
    const { status, stderr } = publish(az, 'effector');
    expect(status).toBe(1);
    expect(stderr).toContain('< pool-effect');
    expect(stderr).toContain('> stranger');
    expect(stderr).toContain('after 30 looks');
    expect(az.calls().filter((call) => call.includes('function list'))).toHaveLength(30);
  });

  test('packages that can not be installed are not sent, and neither is a package without its lockfile', () => {
    const az = scriptedAz();
    az.answers([['npm ci*', { fails: 7 }], ...of()]);
    expect(publish(az, 'effector').status).toBe(7);
    expect(az.calls().at(-1)).toMatch(/^npm ci/);
    rmSync(path.join(az.directory, 'package', 'package-lock.json'));
    const { status, stderr } = az.run('publish.sh', ['dev', '--role', 'effector', '--package', 'package']);
    expect([status, stderr.includes('package-lock.json')]).toEqual([1, true]);
    expect(az.calls()).toEqual([]);
  });

  test('a package that can not be sent is not waited for', () => {
    const az = scriptedAz();
    az.answers([['az functionapp deployment*', { fails: 5 }], ...of()]);
    expect(publish(az, 'effector').status).toBe(5);
    expect(az.calls().at(-1)).toContain('config-zip');
  });

  test('refuses what is no role of an app, no package, no backend, and a stack without the app', () => {
    const az = scriptedAz();
    az.answers([['az stack sub show*', '']]);
    expect(publish(az, 'station')).toMatchObject({ status: 2, stderr: expect.stringContaining('control or effector') });
    const args = ['dev', '--role', 'control', '--package'];
    expect(az.run('publish.sh', [...args, 'none']).stderr).toContain('none holds no host.json');
    expect(az.run('publish.sh', [...args, 'package', '--backend', 'moon'])).toMatchObject({ status: 2 });
    expect(az.calls()).toEqual([]);
    expect(az.run('publish.sh', [...args, 'package'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('deploy first'),
    });
  });
});

describe('smoke', () => {
  const hosts: readonly Rule[] = [
    ['az stack sub show*INGRESS_HOSTNAME*', 'plane.example'],
    ['az stack sub show*CONTROL_HOSTNAME*', 'control.example'],
  ];
  const open: readonly Rule[] = [
    ['curl *https://*/api/v1/health', '200'],
    ['curl *https://*/api/v1/ready', '200'],
    ['curl *https://*/api/v1/requests', '401'],
  ];

  test('asks what is open and what is closed, at the ingress', () => {
    const az = scriptedAz();
    az.answers([...hosts, ...open, ['curl *https://plane.example/*', '403', '404', '403']]);
    expect(az.run('smoke.sh', ['dev'])).toMatchObject({ status: 0, stderr: '' });
    expect(az.calls().filter((call) => call.startsWith('curl'))).toHaveLength(6);
  });

  test('without an ingress asks control itself', () => {
    const az = scriptedAz();
    az.answers([['az stack sub show*INGRESS*', 'None'], ...hosts, ...open]);
    expect(az.run('smoke.sh', ['dev'])).toMatchObject({ status: 0 });
    expect(az.calls().filter((call) => call.includes('https://control.example/'))).toHaveLength(3);
  });

  test.each([
    ['curl *health', '503', '/api/v1/health answers 503, not 200'],
    ['curl *ready', { fails: 28 }, "ready can't be reached"],
    ['curl *requests', '200', '/api/v1/requests answers 200, not 401'],
    ['curl *host/status', '401', '/admin/host/status answers 401, not 403 404'],
    ['curl *claim', '40', 'answers 40, not 403 404'],
  ] as const)('%s answering %j fails', (pattern, answer, said) => {
    const az = scriptedAz();
    az.answers([[pattern, answer], ...hosts, ...open, ['curl *', '403']]);
    expect(az.run('smoke.sh', ['dev'])).toMatchObject({ status: 1, stderr: expect.stringContaining(said) });
  });
});

describe('teardown', () => {
  const there: readonly Rule[] = [
    ['az account show*', 'sub-1'],
    ['az stack sub list*', 'factory-dev'],
    ['az stack sub show*resources*', '/sub/sql\n/sub/bus'],
    ['az lock list*', '/sub/lock-1\n/sub/lock-2'],
    ['az lock delete*'],
    ['az stack sub delete*'],
    ['az keyvault list-deleted*', 'kv-keys'],
  ];
  const changes = (az: ScriptedAz) => az.calls().filter((call) => call.includes(' delete '));

  test.each(['', 'prod\n', 'yes\n'])('changes nothing when it is answered %j', (input) => {
    const az = scriptedAz();
    az.answers(there);
    const { status, stdout, stderr } = az.run('teardown.sh', ['dev'], { input });
    expect([status, stderr]).toEqual([1, 'teardown.sh: nothing was done\n']);
    expect(stdout).toContain('/sub/sql');
    expect(changes(az)).toEqual([]);
  });

  test.each([
    [['dev'], 'dev\n'],
    [['dev', '--yes'], ''],
  ])('%j answered %j lifts the locks, deletes the stack, and says what stays', (args, input) => {
    const az = scriptedAz();
    az.answers(there);
    const { status, stdout } = az.run('teardown.sh', args, { input });
    expect([status, stdout]).toEqual([0, expect.stringContaining('kv-keys')]);
    expect(changes(az)).toEqual([
      'az lock delete --ids /sub/lock-1',
      'az lock delete --ids /sub/lock-2',
      'az stack sub delete --name factory-dev --action-on-unmanage deleteAll --yes --output none',
    ]);
  });

  test('a lock that stays leaves the stack alone', () => {
    const az = scriptedAz();
    az.answers([['az lock delete --ids /sub/lock-2', { fails: 1 }], ...there]);
    expect(az.run('teardown.sh', ['dev', '--yes']).status).toBe(1);
    expect(changes(az).filter((call) => call.includes('stack'))).toEqual([]);
  });

  test('has nothing to do the second time', () => {
    const az = scriptedAz();
    az.answers([['az stack sub list*', ''], ...there]);
    expect(az.run('teardown.sh', ['dev'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('nothing to take down'),
    });
    expect(changes(az)).toEqual([]);
  });
});
