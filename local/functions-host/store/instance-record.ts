/** Every status an instance can have; the names are those of the wire. */
export const runtimeStatuses = ['Pending', 'Running', 'Completed', 'Failed', 'Terminated'] as const;
export type RuntimeStatus = (typeof runtimeStatuses)[number];
export type FinalStatus = Exclude<RuntimeStatus, 'Pending' | 'Running'>;

/** An instance as the store keeps it. Times are milliseconds since the epoch; texts are JSON. */
export interface InstanceRecord {
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly status: RuntimeStatus;
  readonly input: string | null;
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
}

type Row = Record<string, unknown>;

/** The columns of `instances` in the record's names. */
export const instanceColumns = `id, execution_id as executionId, name, version, status, input, output,
  custom_status as customStatus, created_at as createdAt, updated_at as updatedAt, finished_at as finishedAt`;

/** A row as the record it stands for; the statement selects exactly the record's fields. */
export function toInstanceRecord(row: Row): InstanceRecord {
  return row as unknown as InstanceRecord;
}
