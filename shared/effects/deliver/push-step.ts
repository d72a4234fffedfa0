import { join } from 'node:path';
import type { IntendBody } from '../../jobs/protocol.ts';
import type { CommitId } from '../../sandbox/git/object-id.ts';
import { fetchSource } from '../../sandbox/git/source.ts';
import type { CodeHost } from '../code-hosts/code-host.ts';
import type { EffectStep, Look } from './effect-step.ts';
import type { TestedChange } from './tested-change.ts';

/**
 * Pushes the change's commit to a branch that must not exist yet. Without a commit (a cancelled request has no evidence to put into
 * one) it can only look: is what lies on the branch the tested tree?
 */
export function pushStep(push: {
  readonly host: CodeHost;
  readonly change: TestedChange;
  readonly branch: string;
  readonly commit: CommitId | null;
  readonly directory: string;
  readonly intend: Pick<IntendBody, 'ordinal' | 'target'>;
}): EffectStep {
  const { host, change, branch, commit } = push;
  const ref = `refs/heads/${branch}`;
  let looks = 0;

  const isTestedTree = async (signal: AbortSignal): Promise<boolean> => {
    const seen = await fetchSource({
      remote: host.remote,
      ref,
      into: join(push.directory, `seen-${++looks}.git`),
      signal,
    });
    return seen.tree === change.tree;
  };

  return {
    crossing: 'effect.push',
    intention: `push commit ${commit ?? 'none'} to ${ref}`,
    intend: {
      ...push.intend,
      kind: 'git_push',
      tree: change.digest,
      expectedBefore: '',
      rollback: `Delete the branch ${branch} if it still points at ${commit ?? 'the commit pushed'}.`,
    },
    async look(signal): Promise<Look> {
      const seen = await host.readRef(ref, signal);
      if (seen === null) return { found: 'absent', observed: `${ref} does not exist` };
      const ours = commit === null ? await isTestedTree(signal) : seen === commit;
      return { found: ours ? 'done' : 'other', observed: `${ref} is at ${seen}` };
    },
    async act(_effect, signal) {
      if (commit === null) throw new Error('there is no commit to push');
      const outcome = await host.push({ repository: change.repository, commit, ref, expected: null, signal });
      if (outcome.outcome === 'pushed') return { did: 'acted', observed: `${ref} was set to ${commit}` };
      return {
        did: 'fenced',
        observed: `the push to ${ref} was refused (${outcome.reason}); it is at ${outcome.seen ?? 'nothing'}`,
      };
    },
  };
}
