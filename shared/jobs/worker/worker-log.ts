import type { EventName } from '../../telemetry/events.ts';

/** Where a worker tells what it does: ids, codes and figures, never content of artifacts or packets. */
export type WorkerLog = (event: EventName, fields?: Readonly<Record<string, string | number | boolean>>) => void;
