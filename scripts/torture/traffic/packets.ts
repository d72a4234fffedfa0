/** A patch that adds one file. Its reproduction fails on the base and passes after, at the cost of one tiny process each. Low risk: nobody is asked. */
export function patchPacket(name: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const file = `src/${name}.txt`;
  return {
    apiVersion: 'factory/v1',
    kind: 'TaskPacket',
    goal: `There is a file ${file}`,
    intent: 'Something to deliver, and to count where it was delivered.',
    source: { kind: 'person' },
    scope: { repository: 'things', allowedPaths: ['src/**'] },
    acceptance: [{ given: 'the repository', when: 'it is looked at', then: `it has ${file}` }],
    reproduction: { command: ['test', '-f', file] },
    validation: { checks: ['unit'] },
    rollback: 'Revert the one commit.',
    output: { format: 'pull_request' },
    line: {
      name: 'patch',
      patch: [
        `diff --git a/${file} b/${file}`,
        'new file mode 100644',
        '--- /dev/null',
        `+++ b/${file}`,
        '@@ -0,0 +1 @@',
        `+${name}`,
        '',
      ].join('\n'),
    },
    ...more,
  };
}

/** What makes the plane ask a person before the effect. */
export const askFirst = { risk: { atLeast: 'medium' } };

/** A request of one of the fan-out lines that `setup.ts` installs. */
export function fanPacket(count: number): Record<string, unknown> {
  return {
    apiVersion: 'factory/v1',
    kind: 'TaskPacket',
    goal: `${count} jobs at once`,
    intent: 'To see what many jobs do.',
    source: { kind: 'person' },
    scope: { repository: 'things', allowedPaths: ['src/**'] },
    acceptance: [{ given: 'a plane', when: 'many jobs are due', then: 'each is done' }],
    output: { format: 'note' },
    line: { name: `bench-fan-${count}` },
  };
}

/** A deployment of the environment `dev` that `deployments.ts` has. High risk: three people are asked. */
export function deploymentPacket(): Record<string, unknown> {
  return {
    apiVersion: 'factory/v1',
    kind: 'TaskPacket',
    goal: 'The environment dev is as its template says',
    intent: 'Something to deploy, and to count where it was deployed.',
    source: { kind: 'person' },
    scope: { repository: 'things', allowedPaths: ['infra/plan.json'] },
    acceptance: [{ given: 'the compiled template', when: 'it is deployed', then: 'the stack is of its plan' }],
    output: { format: 'deployment' },
    line: { name: 'azure-deployment', environment: 'dev' },
  };
}
