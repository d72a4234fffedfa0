import { insertRow } from '../row-statements.ts';
import { effects } from '../schema/tables/effect.ts';

/** The effect key is unique in the tenant: the same change is never intended twice. Look by key first, under the request's lock. */
export const insertEffect = insertRow('effects.insert', effects, 'effect');
