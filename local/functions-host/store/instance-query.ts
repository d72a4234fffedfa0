import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { InstanceRecord, RuntimeStatus } from './instance-record.ts';
import { instanceColumns, toInstanceRecord } from './instance-record.ts';

/** Which instances to list; times are milliseconds since the epoch, both bounds inclusive. */
export interface InstanceFilter {
  readonly statuses?: readonly RuntimeStatus[];
  readonly createdFrom?: number;
  readonly createdTo?: number;
  readonly idPrefix?: string;
}

/** Where the next page begins: after this instance, in order of creation. */
export interface PagePosition {
  readonly createdAt: number;
  readonly id: string;
}

export type QueryInstances = (
  filter: InstanceFilter,
  after: PagePosition | undefined,
  limit: number,
) => InstanceRecord[];

/** Lists instances by creation time, a page at a time. */
export function openInstanceQuery(database: DatabaseSync): QueryInstances {
  return (filter, after, limit) => {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, ...bound: SQLInputValue[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (filter.statuses !== undefined)
      where(`status in (${filter.statuses.map(() => '?').join(', ')})`, ...filter.statuses);
    if (filter.createdFrom !== undefined) where('created_at >= ?', filter.createdFrom);
    if (filter.createdTo !== undefined) where('created_at <= ?', filter.createdTo);
    if (filter.idPrefix !== undefined) where('substr(id, 1, ?) = ?', filter.idPrefix.length, filter.idPrefix);
    if (after !== undefined) where('(created_at, id) > (?, ?)', after.createdAt, after.id);
    const clause = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
    const statement = database.prepare(
      `select ${instanceColumns} from instances ${clause} order by created_at, id limit ?`,
    );
    return statement.all(...values, limit).map(toInstanceRecord);
  };
}
