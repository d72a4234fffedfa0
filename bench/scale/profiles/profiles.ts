import { LIMITS } from '../../../shared/domain/limits.ts';
import type { Profile } from './profile.ts';

/** As `infra/main.dev.bicepparam` has it; a test compares the two. */
export const DEV: Profile = {
  name: 'dev',
  controlScale: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReady: { http: 1 } },
  effectorScale: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReady: {} },
  jobScale: { cpu: 1, memoryGiB: 2, maximumExecutions: 5 },
  workerConcurrency: 1,
  effectorConcurrency: 4,
  hintsHeld: true,
  maximumSessions: 5,
  readySessions: 0,
  durableBackend: 'dts',
  dtsSku: 'Consumption',
  dtsCapacity: 1,
  busSku: 'Standard',
  busCapacity: 1,
  sqlSku: 'GP_S_Gen5',
  sqlVCores: 1,
  leaseSeconds: 30,
  hintSeconds: 30,
  wrappingKeyBits: 3072,
  sessionCooldownSeconds: 600,
  leasesPerPool: LIMITS.job.concurrentPerPool,
  zoneRedundant: false,
  privateEndpoints: 15,
  frontDoor: false,
  sessionPools: 1,
};

/** As `infra/main.prod.bicepparam` has it. */
export const PROD: Profile = {
  ...DEV,
  name: 'prod',
  controlScale: { instanceMemoryMB: 2048, maximumInstanceCount: 100, alwaysReady: { http: 2, durable: 2 } },
  effectorScale: {
    instanceMemoryMB: 2048,
    maximumInstanceCount: 40,
    alwaysReady: { 'function:pool-fetch': 2, 'function:pool-effect': 2 },
  },
  jobScale: { cpu: 2, memoryGiB: 4, maximumExecutions: 50 },
  maximumSessions: 50,
  readySessions: 5,
  dtsSku: 'Dedicated',
  dtsCapacity: 3,
  busSku: 'Premium',
  sqlSku: 'GP_Gen5',
  sqlVCores: 4,
  zoneRedundant: true,
  privateEndpoints: 17,
  frontDoor: true,
};
