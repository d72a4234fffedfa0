import type { InstanceRecord } from '../../store/instance-record.ts';

/** What of an instance to show. */
export interface PayloadOptions {
  readonly showInput: boolean;
  /** The history's events as JSON texts joined by commas; undefined leaves them out. */
  readonly history: string | undefined;
}

/** The status payload as JSON text, put together from texts the store already holds. Times are whole seconds, UTC. */
export function statusPayload(record: InstanceRecord, options: PayloadOptions): string {
  const fields = [
    `"name":${JSON.stringify(record.name)}`,
    `"instanceId":${JSON.stringify(record.id)}`,
    `"runtimeStatus":"${record.status}"`,
    `"input":${options.showInput ? (record.input ?? 'null') : 'null'}`,
    `"customStatus":${record.customStatus ?? 'null'}`,
    `"output":${record.output ?? 'null'}`,
    `"createdTime":"${seconds(record.createdAt)}"`,
    `"lastUpdatedTime":"${seconds(record.updatedAt)}"`,
  ];
  if (options.history !== undefined) fields.push(`"historyEvents":[${options.history}]`);
  return `{${fields.join(',')}}`;
}

function seconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
