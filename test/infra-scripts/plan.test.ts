import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { overlapping } from '../../scripts/deployment/address-ranges.ts';
import { makePlan, planText, readPlan } from '../../shared/domain/deployment/plan.ts';
import { type Rule, type ScriptedAz, scriptedAz } from './scripted-az.ts';

const SUBSCRIPTION = '0d1f7a52-5b0e-4f0e-9d53-2a1c0f4e7a01';
const bus = { resourceId: '/sub/bus', changeType: 'Create', after: { sku: 'Premium', name: 'bus' } };
const sql = { resourceId: '/sub/sql', changeType: 'Modify', delta: [{ path: 'tags' }] };
const whatIf = (...changes: readonly object[]): string => JSON.stringify({ status: 'Succeeded', changes });
const template = { $schema: 'deploymentTemplate', resources: { bus: { type: 'Microsoft.ServiceBus/namespaces' } } };
const parameters = { parameters: { environmentName: { value: 'dev' } } };

const LOOKING: readonly Rule[] = [
  ['az account show*', SUBSCRIPTION],
  ['az bicep build --file*', JSON.stringify(template)],
  ['az bicep build-params*', JSON.stringify(parameters)],
];
const AFTER: readonly Rule[] = [
  ['az stack sub show*CONTROL_NAME*', 'func-control'],
  ['az functionapp show*', '/sub/func-control'],
  ['az network private-endpoint-connection list*', '/sub/pe-1\n/sub/pe-2'],
  ['az network private-endpoint-connection approve*'],
];

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
/** Plans made before, by what they change: each is made once. */
const made = new Map<string, string>();

function planned(az: ScriptedAz, ...changes: readonly object[]): string {
  const file = path.join(az.directory, 'plan.json');
  const before = made.get(JSON.stringify(changes));
  if (before !== undefined) {
    writeFileSync(file, before);
    az.answers(LOOKING);
    return digestOf(before);
  }
  az.answers([...LOOKING, ['az deployment sub what-if*', whatIf(...changes)]]);
  const { status, stdout, stderr } = az.run('whatif.sh', ['dev', '--plan', 'plan.json']);
  expect([status, stderr]).toEqual([0, expect.stringContaining('whatif: ')]);
  const text = readFileSync(file, 'utf8');
  expect(stdout).toBe(`${digestOf(text)}  plan.json\n`);
  made.set(JSON.stringify(changes), text);
  return digestOf(text);
}

describe('what-if and deployment', () => {
  test('what is applied is what the plan holds, asked for again before and looked at after', () => {
    const az = scriptedAz();
    const digest = planned(az, bus, sql);
    expect(az.calls()).toEqual([
      'az account show --query id --output tsv',
      'az bicep build --file infra/main.bicep --outfile TMP/template.json',
      'az bicep build-params --file infra/main.dev.bicepparam --outfile TMP/parameters.json',
      'az deployment sub what-if --location westeurope --template-file TMP/template.json --parameters TMP/parameters.json --result-format FullResourcePayloads --no-pretty-print --output json',
    ]);
    // The service lists the same in another order.
    az.answers([
      ...LOOKING,
      ['az stack sub list*', '', `plan sha256:${digest} | succeeded`],
      ['az deployment sub what-if*', whatIf(sql, bus)],
      ['az stack sub create*'],
      ...AFTER,
    ]);
    const { status, stdout, stderr } = az.run('deploy.sh', ['dev', '--plan', 'plan.json', '--digest', digest]);
    expect([status, stderr, stdout]).toEqual([0, '', 'deploy: the stack factory-dev is of this plan now\n']);
    const calls = az.calls();
    expect(calls.map((call) => call.split(' ').slice(1, 4).join(' '))).toEqual([
      'account show --query',
      'stack sub list',
      'deployment sub what-if',
      'stack sub create',
      'stack sub list',
      'stack sub show',
      'functionapp show --name',
      'network private-endpoint-connection list',
      'network private-endpoint-connection approve',
      'network private-endpoint-connection approve',
    ]);
    expect(calls[3]).toBe(
      `az stack sub create --name factory-dev --location westeurope --template-file TMP/template.json --parameters TMP/parameters.json --description plan sha256:${digest} --action-on-unmanage detachAll --deny-settings-mode none --yes --output none`,
    );
  });

  test('what a what-if compiles is what is compiled for the factory to deploy from', () => {
    const az = scriptedAz();
    az.answers(LOOKING);
    const { status, stdout, stderr } = az.run('compile.sh', ['dev', '--to', 'compiled/dev']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('template.json and parameters.json of dev are in compiled/dev');
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(path.join(az.directory, 'compiled/dev', name), 'utf8'));
    expect([read('template.json'), read('parameters.json')]).toEqual([template, parameters]);
    expect(az.calls()).toEqual([
      'az bicep build --file infra/main.bicep --outfile compiled/dev/template.json',
      'az bicep build-params --file infra/main.dev.bicepparam --outfile compiled/dev/parameters.json',
    ]);
    expect(az.run('compile.sh', ['dev']).status).toBe(2);
  });

  test('a second run applies nothing, and goes on with what comes after', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    az.calls();
    az.answers([...LOOKING, ['az stack sub list*', `plan sha256:${digest} | succeeded`], ...AFTER]);
    for (const _ of [1, 2]) {
      const { status, stdout } = az.run('deploy.sh', ['dev', '--plan', 'plan.json', '--digest', digest]);
      expect([status, stdout]).toEqual([0, 'deploy: the stack factory-dev is of this plan already\n']);
      expect(az.calls().filter((call) => /create|what-if/.test(call))).toEqual([]);
    }
  });

  test('the bytes applied are those of the plan, whatever the sources say by then', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    const copy = path.join(az.directory, 'applied.json');
    az.answers([
      ...LOOKING,
      ['az stack sub list*', '', `plan sha256:${digest} | succeeded`],
      ['az deployment sub what-if*', whatIf(bus)],
      ['az stack sub create*'],
      ...AFTER,
    ]);
    // az, as it creates the stack, keeps what it was given.
    const program = path.join(az.directory, 'bin', 'az');
    writeFileSync(
      program,
      readFileSync(program, 'utf8').replace(
        '\nsaid=',
        `\nwhile [[ "$*" == "stack sub create"* && "$file" == "" ]]; do for a in "$@"; do [[ "$a" != */template.json ]] || file="$a"; done; cp "$file" "${copy}"; done\nsaid=`,
      ),
    );
    expect(az.run('deploy.sh', ['dev', '--plan', 'plan.json', '--digest', digest]).status).toBe(0);
    expect(JSON.parse(readFileSync(copy, 'utf8'))).toEqual(template);
  });

  const plan = (az: ScriptedAz, digest: string, environment = 'dev') =>
    az.run('deploy.sh', [environment, '--plan', 'plan.json', '--digest', digest]);

  test('another digest is refused before anything is asked', () => {
    const az = scriptedAz();
    planned(az, bus);
    az.calls();
    const { status, stderr } = plan(az, 'abc');
    expect([status, stderr]).toEqual([1, expect.stringContaining('not the plan that was approved')]);
    expect(az.calls()).toEqual([]);
  });

  test('a file that was changed after its approval is refused', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    const file = path.join(az.directory, 'plan.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Premium', 'Standard'));
    expect(plan(az, digest)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not the plan that was approved'),
    });
  });

  test('a plan of another environment, stack or subscription is refused before anything is changed', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    expect(plan(az, digest, 'prod').stderr).toContain('a plan of dev, not of prod');
    const args = ['dev', '--plan', 'plan.json', '--digest', digest];
    expect(az.run('deploy.sh', args, { environment: { FACTORY_WORKLOAD: 'other' } }).stderr).toContain(
      'not of other-dev',
    );
    az.answers([['az account show*', 'another']]);
    az.calls();
    expect(plan(az, digest)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`az account set --subscription ${SUBSCRIPTION}`),
    });
    expect(az.calls()).toHaveLength(1);
  });

  test('exit code 3 when what would change is not what the plan says any more', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    az.answers([
      ...LOOKING,
      ['az stack sub list*', 'plan sha256:another | succeeded'],
      ['az deployment sub what-if*', whatIf(bus, sql)],
    ]);
    const { status, stderr } = plan(az, digest);
    expect([status, stderr]).toEqual([3, expect.stringContaining('(Create 1, Modify 1): look again')]);
  });

  test.each([
    ['az account show*', { fails: 9 }],
    ['az stack sub list*', { fails: 9 }],
    ['az deployment sub what-if*', { fails: 9 }],
    ['az stack sub create*', { fails: 9 }],
    ['az stack sub show*', { fails: 9 }],
    ['az network private-endpoint-connection list*', { fails: 9 }],
    ['az network private-endpoint-connection approve*', { fails: 9 }],
  ] as const)('%s failing ends the chain there', (pattern, answer) => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    az.calls();
    az.answers([
      [pattern, answer],
      ...LOOKING,
      ['az stack sub list*', '', `plan sha256:${digest} | succeeded`],
      ['az deployment sub what-if*', whatIf(bus)],
      ['az stack sub create*'],
      ...AFTER,
    ]);
    expect(plan(az, digest).status).not.toBe(0);
    expect(az.calls().at(-1)).toContain(pattern.slice(0, -1));
  });

  test('a stack that does not say it was made of the plan fails, whatever az said of making it', () => {
    const az = scriptedAz();
    const digest = planned(az, bus);
    az.answers([
      ...LOOKING,
      ['az stack sub list*', '', `plan sha256:${digest} | failed`],
      ['az deployment sub what-if*', whatIf(bus)],
      ['az stack sub create*'],
    ]);
    expect(plan(az, digest)).toMatchObject({ status: 1, stderr: expect.stringContaining('| failed') });
  });

  test('half an answer is no plan', () => {
    const az = scriptedAz();
    for (const answer of ['{"status":"Failed","error":{"code":"Conflict"}}', '{"changes":[]}', 'not json']) {
      az.answers([...LOOKING, ['az deployment sub what-if*', answer]]);
      const { status, stdout } = az.run('whatif.sh', ['dev']);
      expect([status, stdout]).toEqual([1, '']);
    }
  });
});

describe('the plan document', () => {
  const target = { environment: 'dev', subscription: SUBSCRIPTION, stack: 'factory-dev', location: 'westeurope' };

  test('depends on neither the order of changes nor that of keys, and on everything else', () => {
    const text = (of: unknown, more: unknown = template) => planText(makePlan(target, of, parameters, more));
    const one = text({ status: 'Succeeded', changes: [bus, sql] });
    const other = { ...bus, after: { name: 'bus', sku: 'Premium' } };
    expect(text({ changes: [sql, other], potentialChanges: null, error: null, status: 'Succeeded' })).toBe(one);
    expect(text({ status: 'Succeeded', changes: [bus] })).not.toBe(one);
    expect(text({ status: 'Succeeded', changes: [bus, sql] }, { ...template, resources: {} })).not.toBe(one);
    expect(text({ status: 'Succeeded', changes: [bus], potentialChanges: [sql] })).not.toBe(one);
    const skipped = {
      level: 'Warning',
      code: 'NestedDeploymentShortCircuited',
      message: 'skipped',
      target: '/sub/nested',
    };
    expect(text({ status: 'Succeeded', changes: [sql, other], diagnostics: [skipped] })).toContain('ShortCircuited');
    expect(readPlan(one).summary).toEqual({ Create: 1, Modify: 1 });
  });

  test('with anything it does not know is refused', () => {
    const plan = makePlan(target, JSON.parse(whatIf(bus)), parameters, template);
    expect(() => readPlan(JSON.stringify({ ...plan, more: 1 }))).toThrow();
    expect(() => readPlan('{}')).toThrow();
  });
});

test('address ranges overlap when they share an address', () => {
  const ranges = ['10.40.1.0/24', '10.40.2.0/24', '10.0.0.0/8', 'fd00::/48', '10.39.255.255/32', '0.0.0.0/0'];
  expect(overlapping('10.40.0.0/23', ranges)).toEqual(['10.40.1.0/24', '10.0.0.0/8', '0.0.0.0/0']);
  for (const text of ['10.40.0.0', '10.40.0.256/24', '10.40.0.0/33', 'x'])
    expect(() => overlapping(text, [])).toThrow('is no IPv4 range');
});
