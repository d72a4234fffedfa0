import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '../../../cli/api/api-problem.ts';
import { readList } from '../../../cli/api/read.ts';
import { approvalResource } from '../../../cli/api/resources.ts';
import { decide } from '../../../cli/request/approval.ts';
import type { TorturePlane } from '../plane/plane.ts';

const PEOPLE = ['approver', 'security-approver', 'second-security-approver'] as const;
const EVERY_MS = 400;

export type Approvers = {
  /** Decisions that were taken. */
  decisions(): number;
  stop(): Promise<void>;
};

/** People who approve whatever is asked of them, also while processes die around them. */
export function startApprovers(plane: TorturePlane): Approvers {
  let stopping = false;
  let decisions = 0;

  async function round(): Promise<void> {
    const [first] = PEOPLE;
    const open = await readList(await plane.as(first), approvalResource, '/approvals');
    for (const approval of open) {
      if (stopping) return;
      if (approval.type === 'installation') continue;
      for (const person of PEOPLE.slice(0, approval.required > 1 ? PEOPLE.length : 1)) {
        try {
          const { state } = await decide(await plane.as(person), approval, 'approve', 'As the packet says.');
          decisions += 1;
          if (state !== 'open') break;
        } catch (error) {
          // Somebody else's decision, or this person's own whose answer was lost: the next round sees how it stands.
          if (!(error instanceof ApiProblem)) throw error;
        }
      }
    }
  }

  const running = (async (): Promise<void> => {
    while (!stopping) {
      await round().catch((error: unknown) => {
        if (!stopping && !(error instanceof ApiProblem)) throw error;
      });
      await sleep(EVERY_MS);
    }
  })();
  running.catch(() => undefined);
  return {
    decisions: () => decisions,
    async stop() {
      stopping = true;
      await running;
    },
  };
}
