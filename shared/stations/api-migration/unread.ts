import type { Concern } from '../../domain/risk/concern.ts';
import type { RulesFound } from './run-rules.ts';

const FILES_NAMED = 5;

/** The files that may hold a match and could not be searched, the first few by name and reason. */
export function unreadInWords({ unread, unreadCount }: RulesFound, named = FILES_NAMED): string {
  const first = unread.slice(0, named).map(({ path, why }) => `${path.slice(-200)} (${why})`);
  const more = unreadCount > first.length ? [`${unreadCount - first.length} more`] : [];
  return [...first, ...more].join(', ');
}

/** Why finding no match any more is no proof of all that the packet's words cover. */
export const unreadConcern = (found: RulesFound): Concern => ({
  kind: 'unread_files',
  detail: unreadInWords(found, 2).slice(0, 500),
});
