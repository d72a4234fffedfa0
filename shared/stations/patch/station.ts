import { type DiffEntry, diffTrees } from '../../sandbox/git/diff.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { applyPatch } from '../../sandbox/git/patch.ts';
import { gitVersion } from '../../sandbox/git/version.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Intention, Station, StationWork } from '../station.ts';
import { requireLine } from '../work/inputs.ts';

/** Applies the packet's patch to the base tree through an index: no file of the repository is ever checked out. */
export const patchStation: Station = {
  name: 'patch',
  probe: async () => ({ ready: true }),
  tool: ({ base }) => gitVersion(base.repository),
  intend,
  implement: applyPacketPatch,
};

async function intend(work: StationWork): Promise<Intention> {
  let tree: TreeId;
  try {
    tree = await applyPacketPatch(work);
  } catch (error) {
    if (!(error instanceof SandboxRefusal) || !error.code.startsWith('PATCH-')) throw error;
    return {
      verdict: 'needs_human',
      code: error.code,
      question: `The packet's patch does not fit commit ${work.base.commit}: ${error.message.slice(0, 1_000)}. Make the patch against that commit and submit again, or name the ref it was made for?`,
    };
  }
  const { entries } = await diffTrees({
    repository: work.base.repository,
    from: work.base.tree,
    to: tree,
    signal: work.context.signal,
  });
  return {
    verdict: 'ok',
    changes: entries.map((entry) => ({ path: entry.path, why: describe(entry) })),
    decisions: [],
  };
}

async function applyPacketPatch({ packet, base, context }: StationWork): Promise<TreeId> {
  const { patch } = requireLine(packet, 'patch');
  return applyPatch({
    repository: base.repository,
    baseTree: base.tree,
    patch: new TextEncoder().encode(patch),
    signal: context.signal,
  });
}

function describe({ status, added, removed, binary, oldMode, newMode }: DiffEntry): string {
  const size = binary ? 'binary' : `+${added} -${removed} lines`;
  const mode = oldMode !== null && newMode !== null && oldMode !== newMode ? `, mode ${oldMode} to ${newMode}` : '';
  return `${status} by the packet's patch (${size}${mode})`;
}
