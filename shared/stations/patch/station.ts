import { patchBytesOf } from '../../domain/patch/line-patch.ts';
import { type DiffEntry, diffTrees } from '../../sandbox/git/diff.ts';
import { type AppliedPatch, applyPacketPatch } from '../../sandbox/git/patch/apply-packet-patch.ts';
import { gitVersion } from '../../sandbox/git/version.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Intention, Station, StationWork } from '../station.ts';
import { sizeOf } from '../work/change-facts.ts';
import { requireLine } from '../work/inputs.ts';
import { mergedConcern } from './merged-concern.ts';
import { patchQuestion } from './question.ts';

/** Applies the packet's patch to the base tree through an index: no file of the repository is ever checked out. */
export const patchStation: Station = {
  name: 'patch',
  probe: async () => ({ ready: true }),
  tool: ({ base }) => gitVersion(base.repository),
  intend,
  implement: async (work) => (await apply(work)).tree,
};

async function intend(work: StationWork): Promise<Intention> {
  let applied: AppliedPatch;
  try {
    applied = await apply(work);
  } catch (error) {
    if (!(error instanceof SandboxRefusal)) throw error;
    const question = patchQuestion(error, work.base.commit);
    if (question === undefined) throw error;
    return { verdict: 'needs_human', code: error.code, question };
  }
  const { entries } = await diffTrees({
    repository: work.base.repository,
    from: work.base.tree,
    to: applied.tree,
    signal: work.context.signal,
  });
  const concerns = mergedConcern(applied);
  return {
    verdict: 'ok',
    changes: entries.map((entry) => ({ path: entry.path, why: describe(entry) })),
    decisions: [],
    facts: { ...sizeOf(entries), ...(concerns.length === 0 ? {} : { concerns }) },
  };
}

function apply({ packet, base, context }: StationWork): Promise<AppliedPatch> {
  return applyPacketPatch({
    repository: base.repository,
    baseTree: base.tree,
    patch: patchBytesOf(requireLine(packet, 'patch')),
    signal: context.signal,
  });
}

function describe({ status, added, removed, binary, oldMode, newMode }: DiffEntry): string {
  const size = binary ? 'binary' : `+${added} -${removed} lines`;
  const mode = oldMode !== null && newMode !== null && oldMode !== newMode ? `, mode ${oldMode} to ${newMode}` : '';
  return `${status} by the packet's patch (${size}${mode})`;
}
