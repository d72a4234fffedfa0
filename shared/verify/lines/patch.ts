import type { TreeId } from '../../sandbox/git/object-id.ts';
import { applyPatch, isPatchIn } from '../../sandbox/git/patch.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier } from './line-verifier.ts';

/** A patch is in already, or fits the base; one that does neither was made for other bytes. */
export const patchVerifier: LineVerifier = {
  before,
  after: async (bench, base, head) => {
    const intended = await apply(bench, base);
    const faults = intended === head.tree ? [] : ["the change is not what the packet's patch makes of the base"];
    return { claims: { line: 'patch', patchAlreadyIn: false }, faults };
  },
};

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  if (await isPatchIn(patchOn(bench, base))) {
    const because = `every hunk of the packet's patch is already in commit ${base.commit}`;
    return {
      claims: { line: 'patch', patchAlreadyIn: true },
      stop: { verdict: 'already_true', because },
      intended: null,
    };
  }
  const claims = { line: 'patch', patchAlreadyIn: false } as const;
  try {
    return { claims, stop: null, intended: await apply(bench, base) };
  } catch (error) {
    if (!(error instanceof SandboxRefusal) || !error.code.startsWith('PATCH-')) throw error;
    const question = `The packet's patch does not fit commit ${base.commit}: ${error.message.slice(0, 1_000)}. Make it against that commit and submit again, or name the ref it was made for?`;
    return { claims, stop: { verdict: 'needs_human', code: error.code, question }, intended: null };
  }
}

function apply(bench: Bench, base: Snapshot): Promise<TreeId> {
  return applyPatch(patchOn(bench, base));
}

function patchOn(bench: Bench, base: Snapshot) {
  const patch = new TextEncoder().encode(requireLine(bench.packet, 'patch').patch);
  return { repository: base.repository, baseTree: base.tree, patch, signal: bench.context.signal };
}
