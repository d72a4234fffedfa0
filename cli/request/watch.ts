import type { PlaneApi } from '../api/plane-api.ts';
import { readResource, understood } from '../api/read.ts';
import {
  type JobResource,
  jobResource,
  type NodeResource,
  nodeResource,
  pageResource,
  type RequestResource,
  requestResource,
} from '../api/resources.ts';

const WAIT_SECONDS = 20;
const AGAIN_MS = 200;

export type Change = {
  readonly request: RequestResource;
  readonly nodes: readonly NodeResource[];
  /** What its queued jobs wait for; looked up when nothing has changed for a while. */
  readonly queued?: readonly JobResource[];
};

/**
 * Follows a request until it ends, answering it as it is after each change. A plane that does not answer for a while is waited for:
 * the request is not lost with it.
 */
export async function* watchRequest(
  api: PlaneApi,
  id: string,
  options: { readonly until: 'terminal' | 'gate'; readonly limitMs: number },
): AsyncGenerator<Change> {
  const deadline = performance.now() + options.limitMs;
  let tag: string | undefined;
  let failures = 0;
  let last: Change | undefined;
  while (performance.now() < deadline) {
    const seen = await look(api, id, tag).catch(async (error: unknown) => {
      failures += 1;
      if (failures > 3 || 'status' in (error as object)) throw error;
      await pause(AGAIN_MS * failures);
      return undefined;
    });
    if (seen === undefined) continue;
    failures = 0;
    tag = seen.tag;
    if (seen.request === undefined) {
      if (last !== undefined) yield { ...last, queued: await queuedJobs(api, id) };
      continue;
    }
    const { items: nodes } = await readResource(api, pageResource(nodeResource), `/requests/${id}/nodes`, {
      query: { limit: '100' },
    });
    last = { request: seen.request, nodes };
    yield last;
    if (seen.request.state === 'terminal') return;
    if (options.until === 'gate' && seen.request.waitingFor.length > 0) return;
  }
}

async function queuedJobs(api: PlaneApi, id: string): Promise<readonly JobResource[]> {
  const { items } = await readResource(api, pageResource(jobResource), `/requests/${id}/jobs`, {
    query: { limit: '100' },
  });
  return items.filter(({ state }) => state === 'queued');
}

async function look(
  api: PlaneApi,
  id: string,
  tag: string | undefined,
): Promise<{ tag: string | undefined; request: RequestResource | undefined }> {
  const known = tag === undefined ? {} : { prefer: `wait=${WAIT_SECONDS}`, 'if-none-match': tag };
  const answer = await api.fetch('GET', `/requests/${id}`, { headers: known as Record<string, string> });
  if (answer.status === 304) return { tag, request: undefined };
  return {
    tag: answer.headers.get('etag') ?? undefined,
    request: understood(requestResource, await answer.json(), `/requests/${id}`),
  };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
