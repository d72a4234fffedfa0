import type { IntendBody } from '../../jobs/protocol.ts';
import type { CodeHost, PullRequest } from '../code-hosts/code-host.ts';
import type { EffectStep, Look } from './effect-step.ts';

/** Opens the pull request of a branch. The host has at most one of a branch, whoever opened it. */
export function pullRequestStep(request: {
  readonly host: CodeHost;
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly intend: Pick<IntendBody, 'ordinal' | 'target' | 'tree'>;
}): EffectStep {
  const { host, branch, base } = request;
  return {
    crossing: 'effect.pull_request',
    intention: `open a pull request of ${branch} into ${base}`,
    intend: {
      ...request.intend,
      kind: 'pull_request',
      expectedBefore: '',
      rollback: `Close the pull request of ${branch} without merging it.`,
    },
    async look(): Promise<Look> {
      const seen = await host.findPullRequest(branch);
      if (seen === null) return { found: 'absent', observed: `there is no pull request of ${branch}` };
      return {
        found: isOurs(seen, base) ? 'done' : 'other',
        observed: `pull request ${seen.number} of ${branch} into ${seen.base} is ${seen.state}`,
      };
    },
    async act() {
      const { opened, pullRequest } = await host.openPullRequest({
        head: branch,
        base,
        title: request.title,
        body: request.body,
      });
      return {
        did: opened ? 'acted' : 'fenced',
        observed: `pull request ${pullRequest.number} of ${branch} ${opened ? 'was opened' : 'was there already'}`,
      };
    },
  };
}

const isOurs = (seen: PullRequest, base: string): boolean => seen.base === base && seen.state === 'open';
