/** Where and when the prices below were assumed: change them to your own before you believe a sum. */
export const PRICES_ASSUMED = {
  region: 'West Europe',
  currency: 'USD',
  at: '2026-11',
  basis: 'public list prices from memory, not looked up; no discount, no reservation, no free grant',
} as const;

/** A price, and what it is for one of. */
export type Price = { readonly usd: number; readonly per: string };

export const PRICES = {
  busStandard: { usd: 10, per: 'namespace a month, 13 million operations included' },
  busStandardOperation: { usd: 0.000_000_8, per: 'operation beyond' },
  busPremiumUnit: { usd: 680, per: 'messaging unit a month' },
  sqlServerlessCore: { usd: 0.52, per: 'core an hour, while used' },
  sqlGeneralCore: { usd: 0.25, per: 'core an hour' },
  sqlCriticalCore: { usd: 0.68, per: 'core an hour' },
  sqlHyperscaleCore: { usd: 0.26, per: 'core an hour' },
  sqlZoneRedundancy: { usd: 0.6, per: 'dollar of General Purpose compute, more' },
  functionReady: { usd: 0.000_004, per: 'GB and second of a ready instance' },
  functionOnDemand: { usd: 0.000_026, per: 'GB and second of an instance that works' },
  functionCall: { usd: 0.000_000_4, per: 'execution' },
  containerCore: { usd: 0.000_024, per: 'core and second' },
  containerMemory: { usd: 0.000_003, per: 'GiB and second' },
  keyOperation: { usd: 0.000_015, per: 'operation, RSA over 2,048 bits or P-256' },
  keyOperation2048: { usd: 0.000_003, per: 'operation, RSA of 2,048 bits' },
  blobWrite: { usd: 0.000_009, per: 'write or list' },
  blobRead: { usd: 0.000_000_5, per: 'read' },
  blobStored: { usd: 0.04, per: 'GB a month' },
  logIngested: { usd: 2.8, per: 'GB of logs' },
  privateEndpoint: { usd: 7.3, per: 'endpoint a month' },
  frontDoor: { usd: 330, per: 'profile a month' },
  registry: { usd: 50, per: 'Premium registry a month' },
  network: { usd: 60, per: 'NAT gateway with its address a month' },
} as const satisfies Readonly<Record<string, Price>>;

/** What has no price here, since no list was at hand: sums are without it. */
export const UNPRICED = [
  'Durable Task Scheduler (capacity units and actions)',
  'backups',
  'traffic',
  'model tokens',
] as const;
