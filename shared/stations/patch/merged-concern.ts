import type { Concern } from '../../domain/risk/concern.ts';
import type { AppliedPatch } from '../../sandbox/git/patch/apply-packet-patch.ts';

const NAMED = 5;

/** That files were merged by three-way is for the approver to weigh: lines around the change are others than its author saw. */
export function mergedConcern({ merged }: AppliedPatch): Concern[] {
  if (merged.length === 0) return [];
  const more = merged.length > NAMED ? ` and ${merged.length - NAMED} more` : '';
  return [{ kind: 'three_way', detail: `${merged.slice(0, NAMED).join(', ')}${more}`.slice(0, 500) }];
}
