import type { Facts } from '../../domain/job/outcome.ts';
import type { NoOpCode } from '../../domain/packet/schema.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';

/** Why a line need not or can't go on, found before any work. */
export type Stop =
  | { readonly verdict: NoOpCode; readonly because: string }
  | { readonly verdict: 'needs_human'; readonly code: string; readonly question: string };

export type Before = {
  readonly claims: LineClaims;
  readonly stop: Stop | null;
  /** The changed tree, where the packet itself already determines it (a patch). */
  readonly intended: TreeId | null;
};

/** What one product line asks of the base, and of a change, beside the declared checks. */
export type LineVerifier = {
  before(bench: Bench, base: Snapshot): Promise<Before>;
  /** What the change does beyond what the packet allows of it, read from the trees before anything of it is run. */
  boundary?(bench: Bench, base: Snapshot, head: Snapshot): Promise<readonly string[]>;
  after(
    bench: Bench,
    base: Snapshot,
    head: Snapshot,
    before: LineClaims,
  ): Promise<{
    readonly claims: LineClaims;
    readonly faults: readonly string[];
    /** What risk is computed from, beside what every change is measured for. */
    readonly facts?: Partial<Facts>;
  }>;
};
