import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { makePlan, planText, readPlan } from '../../shared/domain/deployment/plan.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { packetSchema } from '../../shared/domain/packet/schema.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { environment, parameters, template } from '../effects/deployment-fixture.ts';
import { commitFiles } from '../effects/repository-fixture.ts';
import { whatIf } from '../effects/stack-arm.ts';
import { type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource, implement, type Line, plan, validate } from '../stations/line.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

let jobs: Jobs;
let source: string;
beforeAll(async () => {
  jobs = openJobs();
  const bare = join(jobs.directory, 'hosted.git');
  execFileSync('git', ['init', '--quiet', '--bare', bare]);
  const { commit } = commitFiles(bare, {
    'README.md': 'rates\n',
    'infra/dev/template.json': JSON.stringify(template),
    'infra/dev/parameters.json': JSON.stringify(parameters),
  });
  source = await bundleSource(jobs, bare, commit);
});
afterAll(() => jobs.remove());

const target = {
  environment: 'dev',
  subscription: environment.subscription,
  stack: environment.stack,
  location: environment.location,
};
const bus = { resourceId: '/sub/bus', changeType: 'Create' };
const looked = (...changes: { resourceId: string; changeType: string }[]): string =>
  planText(makePlan(target, whatIf(...changes), parameters, template));

function line(deployment: string, packet: { allow?: string[]; allowedPaths?: string[] } = {}): Line {
  return {
    jobs,
    driver,
    source,
    deployment: Buffer.from(deployment),
    declaration: applicationDeclaration.parse({
      apiVersion: 'factory/v1',
      kind: 'Application',
      name: 'rates',
      repositories: [{ name: 'rates', codeHost: 'local', location: '/hosted.git' }],
      environments: [environment],
    }),
    packet: packetSchema.parse({
      apiVersion: 'factory/v1',
      kind: 'TaskPacket',
      goal: 'The bus is there',
      intent: 'So that hints travel',
      source: { kind: 'person' },
      scope: { repository: 'rates', allowedPaths: packet.allowedPaths ?? ['infra/dev/plan.json'] },
      reproduction: { none: 'an environment is not run' },
      output: { format: 'deployment' },
      line: { name: 'azure-deployment', environment: 'dev', allow: packet.allow ?? [] },
    }),
  };
}

test.skipIf(noSandbox)('a plan becomes the only file of the change, and is found valid by its digest', async () => {
  const text = looked(bus);
  const before = await baseline(line(text));
  expect(before.outcome, JSON.stringify(before.failure)).toMatchObject({ verdict: 'not_required' });
  const planned = await plan(line(text), before);
  expect(planned.outcome).toMatchObject({ verdict: 'ok', facts: { paths: ['infra/dev/plan.json'] } });
  const change = await implement(line(text), planned);
  expect(change.outcome, JSON.stringify(change.failure)).toMatchObject({ verdict: 'changed' });
  const judged = await validate(line(text), before, change);
  expect(judged.outcome, JSON.stringify(judged.failure)).toMatchObject({ verdict: 'valid' });
  expect(receiptSchema.parse(judged.json('receipt')).claims.line).toEqual({
    line: 'azure-deployment',
    environment: 'dev',
    plan: digestOfBytes(text),
    changes: { Create: 1 },
  });
  expect(judged.text('diff')).toContain('+      "changeType": "Create"');

  // The station wrote one plan, and the effector looked up another.
  const other = await validate(line(looked(bus, { resourceId: '/sub/sql', changeType: 'Modify' })), before, change);
  expect(other.outcome).toMatchObject({
    verdict: 'invalid',
    question: expect.stringContaining('is not the plan that the look at the environment gave out'),
  });
});

test.skipIf(noSandbox)('a plan that changes nothing is already true, whatever lists it', async () => {
  for (const quiet of [[], [{ resourceId: '/sub/bus', changeType: 'NoChange' }], [{ ...bus, changeType: 'Ignore' }]])
    expect((await baseline(line(looked(...quiet)))).outcome).toMatchObject({ verdict: 'already_true' });
});

test.skipIf(noSandbox)('what the packet does not allow is asked about before anybody works on it', async () => {
  for (const changeType of ['Delete', 'Unsupported']) {
    const text = looked(bus, { resourceId: '/sub/old', changeType });
    expect((await baseline(line(text))).outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'PLAN-NOT-ALLOWED',
      question: expect.stringContaining(`${changeType} of /sub/old`),
    });
    expect((await baseline(line(text, { allow: [changeType] }))).outcome).toMatchObject({ verdict: 'not_required' });
  }
  // A kind of change that nobody knows is allowed by nobody.
  const strange = looked({ resourceId: '/sub/bus', changeType: 'Replace' });
  expect((await baseline(line(strange, { allow: ['Delete', 'Unsupported'] }))).outcome).toMatchObject({
    verdict: 'needs_human',
  });
});

test.skipIf(noSandbox)('a plan for another place, or of other files than the base has, is refused', async () => {
  const plans = {
    'for another target': { ...readPlan(looked(bus)), target: { ...target, stack: 'other' } },
    "plan's template is not": { ...readPlan(looked(bus)), template: { resources: {} } },
    "plan's parameters are not": { ...readPlan(looked(bus)), parameters: {} },
  };
  for (const [said, of] of Object.entries(plans))
    expect((await baseline(line(planText(of)))).outcome).toMatchObject({
      verdict: 'needs_human',
      question: expect.stringContaining(said),
    });
});
