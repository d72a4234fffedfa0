import type { Limit } from './limit.ts';

/** How long things take that nobody publishes. Change them when a plane in Azure has been measured: nothing else needs to change. */
export const LATENCIES = {
  callMs: {
    value: 4.4,
    unit: 'ms of processor a call of control',
    code: "docs/bench.md: 88.3 ms of control's app for some 20 calls, SQLite and files included",
  },
  roundTripMs: {
    value: 1.5,
    unit: 'ms from control to the database and back',
    assumed: 'one region, private endpoint',
  },
  statementMs: { value: 0.25, unit: 'ms of a core a statement', assumed: 'index lookups and single rows' },
  logKilobytes: { value: 8, unit: 'kB of transaction log a commit', assumed: 'a dozen narrow rows with their indexes' },
  keyMs: { value: 20, unit: 'ms a key operation', assumed: 'RSA in software, over a private endpoint' },
  blobMs: { value: 8, unit: 'ms a blob operation', assumed: 'small objects, one region' },
  executionStart: {
    value: 25,
    unit: 's until a container execution makes its first call',
    assumed: 'the image is pulled each time',
  },
  instanceStart: { value: 3, unit: 's until a new function instance works', assumed: 'Node, one package a role' },
  instanceInterval: {
    value: 2,
    unit: 's between two looks of the function scaler',
    assumed: 'target-based scaling, no figure published',
  },
} as const satisfies Readonly<Record<string, Limit>>;
