import { z } from 'zod';
import { type Id, type IdKind, parseId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';

const DEFAULT_ITEMS = 50;

/** Query parameters of every list: how many, and the cursor that the page before answered. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMITS.http.pageItems).default(DEFAULT_ITEMS).describe('Items a page'),
  cursor: z.string().min(1).max(200).optional().describe('`next` of the page before'),
};

/** The refusal of a cursor that no page of the list gave: taken for none, it would begin the list again, for ever. */
export const foreignCursor = (): Refusal =>
  new Refusal(
    422,
    'FACTORY-QUERY-INVALID',
    'The cursor is none of this list. Send `next` of the page before, or none.',
    { details: [{ pointer: '/cursor', code: 'foreign_cursor', message: 'Send `next` of the page before.' }] },
  );

/** A cursor that is an id; null at the start of the list. */
export function cursorId<K extends IdKind>(kind: K, cursor: string | undefined): Id<K> | null {
  if (cursor === undefined) return null;
  const id = parseId(kind, cursor);
  if (id === undefined) throw foreignCursor();
  return id;
}

export type Page<T> = { readonly items: readonly T[]; readonly next?: string };

/** A page out of one row more than asked for: that row proves that there is another page, and is left out. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  cursorOf: (row: R) => string,
  render: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(render);
  return rows.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items };
}

/** The schema of a page, for the description of the API. */
export const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().optional() });
