/** Every metric that the plane emits: its unit (UCUM), and its dimensions. Queries and documentation are compared with it. */
export const METRICS = {
  'factory.requests.ended': {
    kind: 'counter',
    unit: '{request}',
    dimensions: ['state', 'application'],
    description: 'Requests that reached a terminal state',
  },
  'factory.jobs.failed': {
    kind: 'counter',
    unit: '{job}',
    dimensions: ['signature', 'class', 'pool'],
    description: 'Attempts that a worker reported as failed',
  },
  'factory.lease.expiries': {
    kind: 'counter',
    unit: '{lease}',
    dimensions: ['pool'],
    description: 'Leases that ended without a report of their worker',
  },
  'factory.anchors.written': {
    kind: 'counter',
    unit: '{anchor}',
    dimensions: ['stream'],
    description: 'Audit anchors written, once for each stream they cover',
  },
  'factory.cost': {
    kind: 'counter',
    unit: '{currency_unit}',
    dimensions: ['application', 'currency'],
    description: 'What ended attempts cost, in units of the currency',
  },
  'factory.defects.escaped': {
    kind: 'counter',
    unit: '{defect}',
    dimensions: ['signature', 'class'],
    description: 'Defects recorded of changes that were delivered',
  },
  'factory.budget.used': {
    kind: 'gauge',
    unit: '%',
    dimensions: ['application'],
    description: "Share of an application's budget of this month that was spent",
  },
  'factory.gate.age': {
    kind: 'gauge',
    unit: 's',
    dimensions: ['gate', 'application'],
    description: 'How long the oldest open approval of a gate has waited',
  },
  'factory.queue.age': {
    kind: 'gauge',
    unit: 's',
    dimensions: ['pool'],
    description: 'How long the oldest claimable job of a pool has waited',
  },
  'factory.installations.drifted': {
    kind: 'gauge',
    unit: '{installation}',
    dimensions: ['application'],
    description: 'Installations that are not what they were installed as',
  },
} as const satisfies Readonly<Record<string, Metric>>;

type Metric = {
  readonly kind: 'counter' | 'gauge';
  readonly unit: string;
  readonly dimensions: readonly string[];
  readonly description: string;
};
type NamesOf<K> = {
  [N in keyof typeof METRICS]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[keyof typeof METRICS];

export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
/** A value for each dimension of a metric. */
export type Dimensions<N extends keyof typeof METRICS> = Readonly<
  Record<(typeof METRICS)[N]['dimensions'][number], string>
>;
export type Reading<N extends GaugeName = GaugeName> = { readonly value: number; readonly dimensions: Dimensions<N> };
