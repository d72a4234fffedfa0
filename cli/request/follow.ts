import type { PlaneApi } from '../api/plane-api.ts';
import { readResource } from '../api/read.ts';
import { type RequestResource, requestResource } from '../api/resources.ts';
import { dim, print } from '../output/terminal.ts';
import { endingLines, progressPrinter, waitingLines } from './progress.ts';
import { watchRequest } from './watch.ts';

/** Watches a request with its progress on standard output, or one JSON line a change. Answers it as it was seen last. */
export async function follow(
  api: PlaneApi,
  id: string,
  options: { readonly until: 'terminal' | 'gate'; readonly limitMs: number; readonly json: boolean },
): Promise<RequestResource> {
  const show = progressPrinter(print);
  let last: RequestResource | undefined;
  for await (const { request, nodes, queued } of watchRequest(api, id, options)) {
    last = request;
    if (queued !== undefined) {
      if (!options.json) for (const line of waitingLines(queued)) print(dim(line));
    } else if (options.json) process.stdout.write(`${JSON.stringify(request)}\n`);
    else show(request, nodes);
  }
  const request = last ?? (await readResource(api, requestResource, `/requests/${id}`));
  if (options.json) return request;
  for (const line of request.state === 'terminal' ? endingLines(request) : [dim(`${id} is still ${request.phase}`)])
    print(line);
  return request;
}
