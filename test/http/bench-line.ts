import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Answer, ControlProcess, Json } from './control-process.ts';

const definitions = path.resolve(import.meta.dirname, '../../definitions');
const manifest = parse(readFileSync(path.join(definitions, 'manifest.yaml'), 'utf8')) as Record<string, string[]>;
const FILES = ['manifest.yaml', ...manifest['lines']!, ...manifest['policies']!];

export const bundle = {
  files: Object.fromEntries(FILES.map((file) => [file, readFileSync(path.join(definitions, file), 'utf8')])),
};

export const declaration = {
  apiVersion: 'factory/v1',
  kind: 'Application',
  name: 'bench',
  repositories: [{ name: 'bench', codeHost: 'local', location: '/srv/repositories/bench.git' }],
  checks: [{ name: 'unit', kind: 'unit', command: ['node', '--test'] }],
};

export const packet = (goal = 'Measure the plane'): Record<string, unknown> => ({
  apiVersion: 'factory/v1',
  kind: 'TaskPacket',
  goal,
  intent: 'See that a request goes its whole way.',
  source: { kind: 'person' },
  scope: { repository: 'bench', allowedPaths: ['src/**'] },
  acceptance: [{ given: 'a plane', when: 'a request is submitted', then: 'it ends' }],
  output: { format: 'note' },
  line: { name: 'bench' },
});

/** Fails the test with what was answered instead. */
export function expectStatus(answer: Answer, status: number): Json {
  if (answer.status !== status) throw new Error(`${answer.status} in place of ${status}: ${answer.text}`);
  return answer.json;
}

/** An application with the default definitions installed: published by the policy owner, planned by the operator, approved by the policy owner. */
export async function installBench(
  control: ControlProcess,
  installed: { readonly files: Readonly<Record<string, string>> } = bundle,
  declared: unknown = declaration,
): Promise<string> {
  const published = expectStatus(
    await control.call('POST', '/definitions', { as: 'policy-owner', json: installed }),
    201,
  );
  const application = expectStatus(
    await control.call('POST', '/applications', { as: 'operator', json: declared }),
    201,
  );
  const planned = expectStatus(
    await control.call('POST', `/applications/${application['id']}/installations`, {
      as: 'operator',
      json: { definitions: published['digest'] },
    }),
    202,
  );
  expectStatus(
    await control.call('POST', `/approvals/${planned['approval']}/decisions`, {
      as: 'policy-owner',
      json: { decision: 'approve', subject: planned['subject'], reason: 'The defaults.' },
    }),
    200,
  );
  for (let tries = 0; tries < 200; tries += 1) {
    const row = expectStatus(await control.call('GET', `/installations/${planned['id']}`, { as: 'operator' }), 200);
    if (String(row['state']) === 'applied') return String(application['id']);
    if (String(row['state']) === 'failed') throw new Error(JSON.stringify(row));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the installation was not applied\n${control.errors()}`);
}

export const submit = (control: ControlProcess, application: string, key: string, goal?: string): Promise<Answer> =>
  control.call('POST', '/requests', {
    as: 'requester',
    headers: { 'idempotency-key': key },
    json: { application, packet: packet(goal) },
  });

/** Claims the next job of a pool, waiting for it a little. */
export async function claimNext(control: ControlProcess, as: string, pool: string, claimId: string): Promise<Json> {
  for (let tries = 0; tries < 60; tries += 1) {
    const answer = await control.call('POST', `/pools/${pool}/claim`, { as, json: { claimId } });
    if (answer.status === 200) return answer.json;
    expectStatus(answer, 204);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no job of pool ${pool} became due`);
}

export const lease = (claim: Json): Record<string, string> => ({ 'factory-lease': String(claim['leaseToken']) });

export const complete = (
  control: ControlProcess,
  as: string,
  claim: Json,
  outcome: Record<string, unknown>,
  outputs: unknown[] = [],
): Promise<Answer> =>
  control.call('POST', `/jobs/${claim['job']}/complete`, { as, headers: lease(claim), json: { outcome, outputs } });
