import { type Command, rows } from '../store/command.ts';
import { authorsOfRequest } from '../store/jobs/authors.ts';
import type { RequestRow } from '../store/schema/rows.ts';
import type { ConfigurationChange } from './declaration-change.ts';
import { delegatesOf } from './delegates.ts';
import { askersOf } from './request-resource.ts';

/**
 * Who is too near to what an approval is about to decide on it, beside who asked for it: the workers that held a job of the request, and
 * everybody who acts for the requester or one of these workers, or whom they act for.
 */
export function* kinship(
  request: RequestRow | undefined,
  change: ConfigurationChange | undefined,
): Command<{ readonly authoredBy: string[]; readonly delegates: string[] }> {
  if (request === undefined) {
    if (change === undefined) return { authoredBy: [], delegates: [] };
    const { tenant_id: tenant, requested_by: planner, created_at: since } = change;
    return { authoredBy: [], delegates: yield* delegatesOf(tenant, [planner], since) };
  }
  const { tenant_id: tenant, id, created_at: since } = request;
  const authoredBy = (yield* rows(authorsOfRequest({ tenant, request: id }))).map((author): string => author.owner);
  const near = [...askersOf(request), ...authoredBy];
  const delegates = new Set([...askersOf(request), ...(yield* delegatesOf(tenant, near, since))]);
  delegates.delete(request.requested_by);
  return { authoredBy, delegates: [...delegates] };
}
