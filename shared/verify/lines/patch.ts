import { patchBytesOf } from '../../domain/patch/line-patch.ts';
import { isPatchIn } from '../../sandbox/git/patch/already-in.ts';
import { type AppliedPatch, applyPacketPatch } from '../../sandbox/git/patch/apply-packet-patch.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import { mergedConcern } from '../../stations/patch/merged-concern.ts';
import { patchQuestion } from '../../stations/patch/question.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier } from './line-verifier.ts';

/** A patch is in already, or fits the base; one that does neither was made for other bytes. */
export const patchVerifier: LineVerifier = {
  before,
  after: async (bench, base, head) => {
    const { tree } = await applied(bench, base);
    const faults = tree === head.tree ? [] : ["the change is not what the packet's patch makes of the base"];
    return { claims: { line: 'patch', patchAlreadyIn: false }, faults };
  },
};

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  if (await isPatchIn(patchOn(bench, base))) {
    const because = `every file and hunk of the packet's patch is already in commit ${base.commit}`;
    return {
      claims: { line: 'patch', patchAlreadyIn: true },
      stop: { verdict: 'already_true', because },
      intended: null,
    };
  }
  const claims = { line: 'patch', patchAlreadyIn: false } as const;
  try {
    return { claims, stop: null, intended: (await applied(bench, base)).tree };
  } catch (error) {
    if (!(error instanceof SandboxRefusal)) throw error;
    const question = patchQuestion(error, base.commit);
    if (question === undefined) throw error;
    return { claims, stop: { verdict: 'needs_human', code: error.code, question }, intended: null };
  }
}

/** The patch put on the base; that it was merged is for whoever decides to weigh. */
async function applied(bench: Bench, base: Snapshot): Promise<AppliedPatch> {
  const done = await applyPacketPatch(patchOn(bench, base));
  for (const { kind, detail } of mergedConcern(done)) bench.findings.concern(kind, detail);
  return done;
}

function patchOn(bench: Bench, base: Snapshot) {
  const patch = patchBytesOf(requireLine(bench.packet, 'patch'));
  return { repository: base.repository, baseTree: base.tree, patch, signal: bench.context.signal };
}
