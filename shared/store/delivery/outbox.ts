import { insertRows } from '../row-statements.ts';
import { outbox } from '../schema/tables/delivery.ts';

/**
 * What a committed change causes. A row is born claimed by its committer: its `available_at` lies as far ahead as the
 * committer's process may take to send it (LIMITS.outbox.claimMs). The relay's statements are in `platform/outbox.ts`.
 */
export const insertOutbox = insertRows('outbox.insert', outbox);
