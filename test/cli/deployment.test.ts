import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bus, environment, parameters, template } from '../effects/deployment-fixture.ts';
import { commitFiles, git } from '../effects/repository-fixture.ts';
import { signInOnPath, stackArm } from '../effects/stack-arm.ts';
import { alive, factory, temporary, type Up, until, up } from './factory-process.ts';

/**
 * The line azure-deployment on a whole plane, with an Azure Resource Manager that keeps a stack, in the name of who is signed in here. Every effector dies right after it began a deployment, before
 * anything of it is recorded: each one is found by the next effector, and none is begun twice.
 */
const data = temporary();
const place = temporary();
const azure = await stackArm();
const deaths = path.join(place, 'deaths');
const packet = path.join(place, 'packet.json');
const sql = { resourceId: '/sub/sql', changeType: 'Modify' };
let plane: Up;
let application: string;

const on = (...args: string[]) => factory(['--data', data, ...args]);
const died = (): number => readFileSync(deaths, 'utf8').split('\n').filter(Boolean).length;

beforeAll(async () => {
  const bare = path.join(place, 'rates.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  const { commit } = commitFiles(bare, {
    'README.md': 'rates\n',
    'infra/dev/template.json': JSON.stringify(template),
    'infra/dev/parameters.json': JSON.stringify(parameters),
  });
  git(bare, ['update-ref', 'refs/heads/main', commit]);
  const declaration = path.join(place, 'application.json');
  writeFileSync(
    declaration,
    JSON.stringify({
      apiVersion: 'factory/v1',
      kind: 'Application',
      name: 'rates',
      repositories: [{ name: 'rates', codeHost: 'local', location: bare }],
      checks: [
        {
          name: 'readable',
          kind: 'lint',
          command: ['node', '-e', 'JSON.parse(fs.readFileSync("infra/dev/template.json"))'],
        },
      ],
      environments: [environment],
      sandbox: { allowProcess: true },
    }),
  );
  writeFileSync(
    packet,
    JSON.stringify({
      apiVersion: 'factory/v1',
      kind: 'TaskPacket',
      goal: 'The environment dev is as its template says',
      intent: 'So that hints travel',
      source: { kind: 'person' },
      scope: { repository: 'rates', allowedPaths: ['infra/dev/plan.json'] },
      acceptance: [{ given: 'the compiled template', when: 'it is deployed', then: 'the stack is of its plan' }],
      output: { format: 'deployment' },
      line: { name: 'azure-deployment', environment: 'dev' },
    }),
  );
  writeFileSync(deaths, '');
  process.env['PATH'] = signInOnPath(place);
  process.env['FACTORY_RESOURCE_MANAGER_URL'] = azure.url;
  process.env['FACTORY_LEASE_SECONDS'] = '3';
  process.env['FACTORY_HINT_SECONDS'] = '2';
  process.env['FACTORY_CRASH_AT'] = 'effect.deployment.after';
  process.env['FACTORY_CRASH_LOG'] = deaths;
  plane = await up(data, '--sandbox', 'process');
  application = (await on('register', declaration)).out.trim();
  expect((await on('install', 'plan', application, '--yes')).code).toBe(0);
});
afterAll(async () => {
  if (alive(plane.pid)) await plane.end('SIGTERM');
  await azure.close();
});

type Waiting = { readonly id: string; readonly request: string; readonly type: string };

const submit = async (): Promise<string> => {
  const { code, out, err } = await on('submit', packet, '--application', application);
  expect(code, err).toBe(0);
  return out.trim();
};
async function gate(request: string, type: 'start' | 'effect'): Promise<string> {
  let found: Waiting | undefined;
  for (let tries = 0; found === undefined; tries++) {
    expect(tries, `no ${type} gate of ${request} opened`).toBeLessThan(60);
    await on('watch', request, '--until', 'gate', '--limit', '30');
    const { out } = await on('--json', '--as', 'approver', 'approvals');
    found = (JSON.parse(out) as Waiting[]).find((each) => each.request === request && each.type === type);
  }
  return found.id;
}
async function approve(request: string): Promise<void> {
  expect((await on('--as', 'approver', 'approve', await gate(request, 'start'), '--yes')).code).toBe(0);
  const effect = await gate(request, 'effect');
  // Risk is high: two people, both of the security role.
  expect((await on('--as', 'security-approver', 'approve', effect, '--yes')).code).toBe(0);
  expect((await on('--as', 'second-security-approver', 'approve', effect, '--yes')).code).toBe(0);
}
const end = async (request: string) => (await on('watch', request, '--limit', '600')).code;

test('a plan is looked up, approved by two, applied once though its effector died, and proved', async () => {
  azure.wouldChange(bus);
  const request = await submit();
  await approve(request);
  expect(await end(request)).toBe(0);
  expect([azure.created(), died()]).toEqual([1, 1]);
  expect(azure.applied()).toEqual({ template, parameters: parameters.parameters, location: 'westeurope' });
  expect(azure.shown()).toEqual([
    { mark: expect.stringMatching(new RegExp(`^plan sha256:[0-9a-f]{64} for ${request}$`)), state: 'succeeded' },
  ]);

  const [bundle, keys] = [path.join(place, 'bundle.json'), path.join(place, 'keys.json')];
  expect((await on('evidence', request, '--out', bundle)).code).toBe(0);
  expect((await on('audit', 'keys', '--out', keys)).code).toBe(0);
  expect((await factory(['verify', bundle, '--keys', keys])).code).toBe(0);
  const answers = JSON.parse((await on('--json', 'explain', request)).out) as Record<string, string[]>;
  expect(answers['changed']!.join()).toContain(
    `azure:/subscriptions/${environment.subscription}/deploymentStacks/factory-dev@westeurope`,
  );
});

test('where nothing would change the request ends as NO_OP, and nobody is asked', async () => {
  const request = await submit();
  expect(await end(request)).toBe(10);
  expect(azure.created()).toBe(1);
});

test('a plan that is rejected is never applied', async () => {
  azure.wouldChange(bus);
  const request = await submit();
  expect((await on('--as', 'approver', 'approve', await gate(request, 'start'), '--yes')).code).toBe(0);
  const effect = await gate(request, 'effect');
  expect((await on('--as', 'security-approver', 'reject', effect, '--reason', 'not today', '--yes')).code).toBe(0);
  expect(await end(request)).toBe(41);
  expect(azure.created()).toBe(1);
});

test('a plan that is stale when it is about to be applied is looked up and approved anew', async () => {
  azure.wouldChange(bus);
  const request = await submit();
  expect((await on('--as', 'approver', 'approve', await gate(request, 'start'), '--yes')).code).toBe(0);
  const first = await gate(request, 'effect');
  azure.wouldChange(bus, sql);
  expect((await on('--as', 'security-approver', 'approve', first, '--yes')).code).toBe(0);
  expect((await on('--as', 'second-security-approver', 'approve', first, '--yes')).code).toBe(0);
  await approve(request);
  expect(await end(request)).toBe(0);
  expect(azure.created()).toBe(2);
  await until(() => died() === 2, 'the second effector died too');
});
