import type { IntendBody } from '../../jobs/protocol.ts';
import { applyPatch } from '../../sandbox/git/patch/apply-patch.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { EffectStep, Look } from './effect-step.ts';
import type { TestedChange } from './tested-change.ts';

/**
 * Delivers the diff itself: it is an artifact already, so what is left is to prove that whoever applies it to the base gets the tested
 * tree. Nothing outside the plane changes.
 */
export function patchStep(patch: {
  readonly change: TestedChange;
  readonly diff: Uint8Array;
  readonly diffDigest: string;
  readonly intend: Pick<IntendBody, 'ordinal' | 'target'>;
}): EffectStep {
  const { change, diff, diffDigest } = patch;
  const look = async (signal: AbortSignal): Promise<Look> => {
    try {
      const tree = await applyPatch({ repository: change.repository, baseTree: change.baseTree, patch: diff, signal });
      return {
        found: tree === change.tree ? 'done' : 'other',
        observed: `${diffDigest} applied to ${change.baseCommit} gives the tree ${tree}`,
      };
    } catch (error) {
      if (error instanceof SandboxRefusal && error.code.startsWith('PATCH-'))
        return { found: 'other', observed: error.message };
      throw error;
    }
  };
  return {
    crossing: 'effect.verify',
    intention: `deliver the diff ${diffDigest}`,
    intend: {
      ...patch.intend,
      kind: 'deliver_patch',
      tree: change.digest,
      expectedBefore: '',
      rollback: 'Nothing to take back: the diff was not applied anywhere.',
    },
    look,
    act: async () => ({ did: 'acted', observed: diffDigest }),
  };
}
