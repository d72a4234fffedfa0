import type { Digest } from '../../domain/digest.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import type { Receipt } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import { publicApi, unseenInWords } from './snapshot.ts';

/** What the base offers to others, where the packet says that it must not change; null where it does not. Asks when it can't be derived. */
export async function apiBefore(bench: Bench, base: Snapshot): Promise<Digest | null> {
  if (bench.packet.mustNotChange?.publicApi !== true) return null;
  const api = await publicApi(bench, base.repository, base.tree, 'base');
  if ('digest' in api && api.unseen.length === 0) return api.digest;
  const why = 'digest' in api ? unseenInWords(api.unseen) : api.underivable;
  throw new TaskFailure({
    kind: 'needs_human',
    code: 'UNDERIVABLE-API',
    question: `The packet says that the public interface must not change, and it can't be derived from the base (${why}). Make the package's entry points importable after the declared prepare command, or leave mustNotChange.publicApi out?`,
  });
}

/** How the change crosses `mustNotChange.publicApi`; nothing where the packet does not name it. */
export async function apiFaults(bench: Bench, head: Snapshot, baseline: Receipt): Promise<string[]> {
  if (bench.packet.mustNotChange?.publicApi !== true) return [];
  const api = await publicApi(bench, head.repository, head.tree, 'changed');
  if ('underivable' in api) return [`what the package offers to others can no longer be derived: ${api.underivable}`];
  return api.digest === baseline.claims.publicApi
    ? []
    : [
        "what the package offers to others is not what it was, and the packet's mustNotChange.publicApi says that it stays",
      ];
}
