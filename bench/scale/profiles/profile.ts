/** A deployment by the names of its Bicep parameters (`infra/main.bicep`), and what its templates fix. */
export type Profile = {
  readonly name: string;
  readonly controlScale: FunctionScale;
  readonly effectorScale: FunctionScale;
  readonly jobScale: { readonly cpu: number; readonly memoryGiB: number; readonly maximumExecutions: number };
  /** Jobs at once in an execution, and the hints that the scaler reckons for one. */
  readonly workerConcurrency: number;
  /** Jobs at once in an instance of the effector: a literal of `infra/workload.bicep`, as many as `host.json` hands to it. */
  readonly effectorConcurrency: number;
  /** Whether a container keeps its hints on the queue, locked, while it works (`container/hold-hint.ts`). */
  readonly hintsHeld: boolean;
  readonly maximumSessions: number;
  readonly readySessions: number;
  readonly durableBackend: 'dts' | 'azureStorage';
  readonly dtsSku: 'Consumption' | 'Dedicated';
  readonly dtsCapacity: number;
  readonly busSku: 'Standard' | 'Premium';
  readonly busCapacity: number;
  readonly sqlSku: 'GP_S_Gen5' | 'GP_Gen5' | 'BC_Gen5' | 'HS_Gen5';
  readonly sqlVCores: number;
  readonly leaseSeconds: number;
  readonly hintSeconds: number;
  /** Bits of the wrapping key: a literal of `infra/modules/keyvault.bicep`. */
  readonly wrappingKeyBits: 2048 | 3072;
  /** A sandbox session stays taken this long after its last call. */
  readonly sessionCooldownSeconds: number;
  /** `LIMITS.job.concurrentPerPool`. */
  readonly leasesPerPool: number;
  /** Spread over zones, which the database is charged for. */
  readonly zoneRedundant: boolean;
  /** Private endpoints of the templates, and whether Front Door Premium stands before control. */
  readonly privateEndpoints: number;
  readonly frontDoor: boolean;
  /** Session pools; the templates make one. */
  readonly sessionPools: number;
};

export type FunctionScale = {
  readonly instanceMemoryMB: 512 | 2048 | 4096;
  readonly maximumInstanceCount: number;
  /** Instances kept ready, by group. */
  readonly alwaysReady: Readonly<Record<string, number>>;
};
