import { z } from 'zod';
import { LIMITS } from '../domain/limits.ts';

const DEFAULT_ITEMS = 50;

/** Query parameters of every list: how many, and the cursor that the page before answered. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMITS.http.pageItems).default(DEFAULT_ITEMS).describe('Items a page'),
  cursor: z.string().min(1).max(200).optional().describe('`next` of the page before'),
};

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
