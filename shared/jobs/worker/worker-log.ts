/** Where a worker tells what it does: ids, codes and figures, never content of artifacts or packets. */
export type WorkerLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, string | number | boolean>>,
) => void;
