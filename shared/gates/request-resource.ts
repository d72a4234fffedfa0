import type { Command } from '../store/command.ts';
import type { RequestRow } from '../store/schema/rows.ts';
import { type Delegation, delegatesAmong, delegationsOf } from './delegates.ts';
import type { ResourceOf } from './policy/actions.ts';

type Asked = Pick<RequestRow, 'id' | 'tenant_id' | 'application_id' | 'requested_by' | 'submitted_by' | 'created_at'>;

/** The requester, and who set the request going for them. */
export const askersOf = (row: Asked): string[] => [...new Set<string>([row.requested_by, row.submitted_by])];

/** A request as policy sees it. */
export function* requestResource(row: Asked): Command<ResourceOf<'readRequest'>> {
  return seenAmong(row, yield* delegationsOf(row.tenant_id, askersOf(row), row.created_at));
}

/** A page of requests as policy sees them, with one look at the delegations around all of them. */
export function* requestResources(page: readonly Asked[]): Command<ResourceOf<'readRequest'>[]> {
  const [first] = page;
  if (first === undefined) return [];
  const since = Math.min(...page.map((row) => row.created_at));
  const delegations = yield* delegationsOf(first.tenant_id, page.flatMap(askersOf), since);
  return page.map((row) => seenAmong(row, delegations));
}

function seenAmong(row: Asked, delegations: readonly Delegation[]): ResourceOf<'readRequest'> {
  const askers = askersOf(row);
  // Who set it going for the requester acted for them.
  const delegates = new Set([...askers, ...delegatesAmong(delegations, askers, row.created_at)]);
  delegates.delete(row.requested_by);
  return {
    id: row.id,
    tenant: row.tenant_id,
    application: row.application_id,
    requestedBy: row.requested_by,
    delegates: [...delegates],
    risk: 'low',
  };
}
