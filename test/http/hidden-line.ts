import { createHash } from 'node:crypto';
import { declaration, expectStatus, packet } from './bench-line.ts';
import type { Answer, ControlProcess, Json } from './control-process.ts';

/** A line of one planning and one judging job, whose bundle permits everything that Cedar can permit: what stays closed is closed in code. */
const line = `schemaVersion: 1
line: bench
title: Judge a change
outputFormats: [note]
nodes:
  - { id: plan, kind: job, pool: plan, task: bench-plan }
  - { id: validate, kind: job, needs: [plan], pool: verify, task: validate }
  - id: done
    kind: decide
    needs: [validate]
    cases:
      - when: [{ node: validate, verdict: [valid] }]
        conclude: { state: NO_OP, code: not_applicable }
      - when: [{ node: validate, verdict: [invalid] }]
        conclude: { state: ESCALATE, code: hidden_failed, question: What now? }
`;

export const permissive: { files: Record<string, string> } = {
  files: {
    'manifest.yaml': `apiVersion: factory/v1
kind: Definitions
name: permissive
version: 0.1.0
lines: [lines/bench.yaml]
policies: [policies/everything.cedar]
`,
    'lines/bench.yaml': line,
    'policies/everything.cedar': '@id("everything")\n@reason("Everything.")\npermit (principal, action, resource);\n',
  },
};

export const scenarioOf = (script: string, name = 'answers') => ({
  name,
  start: ['node', 'src/serve.js'],
  script,
  timeoutSeconds: 10,
});

export const declare = (name: string, scenarios: unknown[], more: Record<string, unknown> = {}) => ({
  ...declaration,
  name,
  repositories: [{ ...declaration.repositories[0], name }],
  scenarios,
  ...more,
});

export const judgedPacket = (repository: string): Record<string, unknown> => ({
  ...packet(),
  scope: { repository, allowedPaths: ['src/**'] },
});

export const inline = (name: string, kind: string, text: string) => ({
  name,
  kind,
  digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
  inline: { mediaType: 'application/json', content: Buffer.from(text).toString('base64') },
});

/** Every way a person has to an artifact's bytes. */
export async function everyWay(
  control: ControlProcess,
  as: string,
  digest: string,
  readable: string,
): Promise<Answer[]> {
  const get = (route: string, headers: Record<string, string> = {}) => control.call('GET', route, { as, headers });
  return [
    await get(`/artifacts/${digest}`),
    await control.call('HEAD', `/artifacts/${digest}`, { as }),
    await get(`/artifacts/${digest}`, { range: 'bytes=0-63' }),
    await get(`/artifacts/${digest}`, { 'if-none-match': `"${digest}"` }),
    await get(`/artifacts/${digest}?from=${readable}`),
    await get(`/artifacts/${readable}?from=${digest}`),
  ];
}

export const itemsOf = (answer: Answer): Json[] => expectStatus(answer, 200)['items'] as unknown as Json[];
