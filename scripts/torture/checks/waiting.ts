import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '../../../cli/api/api-problem.ts';
import { readList, readResource } from '../../../cli/api/read.ts';
import { jobResource, requestResource } from '../../../cli/api/resources.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { requestStates } from '../traffic/requests.ts';

const EVERY_MS = 500;

export type WaitingCheck = {
  /** How often something waited when it was looked at, and each time that the answer did not say for what. */
  stop(): Promise<{ readonly jobs: number; readonly approvals: number; readonly faults: readonly string[] }>;
};

/** Looks at one open request after another as its requester does, while processes die: whatever waits says for what. */
export function startWaitingCheck(plane: TorturePlane): WaitingCheck {
  let stopping = false;
  let looks = 0;
  const told = { jobs: 0, approvals: 0 };
  const faults: string[] = [];

  async function lookAt(id: string): Promise<void> {
    const requester = await plane.as('requester');
    const request = await readResource(requester, requestResource, `/requests/${id}`);
    if (request.phase === 'awaiting_approval') {
      if (request.waitingFor.length === 0) faults.push(`request ${id} awaits an approval and does not say which`);
      else told.approvals += 1;
    }
    for (const job of await readList(requester, jobResource, `/requests/${id}/jobs`)) {
      if (job.state !== 'queued') continue;
      if (job.waiting === null || job.waiting === undefined)
        faults.push(`job ${job.id} waits and does not say for what`);
      else told.jobs += 1;
    }
  }

  const running = (async (): Promise<void> => {
    while (!stopping) {
      const open = requestStates(plane).filter(({ state }) => state !== 'terminal');
      const one = open[looks % Math.max(1, open.length)];
      looks += 1;
      if (one !== undefined)
        await lookAt(one.id).catch((error: unknown) => {
          if (!stopping && !(error instanceof ApiProblem)) throw error;
        });
      await sleep(EVERY_MS);
    }
  })();
  running.catch(() => undefined);
  return {
    async stop() {
      stopping = true;
      await running;
      return { ...told, faults };
    },
  };
}
