import { busOperationsOf, callsOf, totalsOf } from '../demand/of-request.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Load } from '../services/service-model.ts';
import type { Outcome } from '../simulation/run.ts';
import { PRICES } from './prices.ts';

const MONTH_HOURS = 730;
/** Artifacts a request leaves behind, and log lines of all its processes: assumptions, of a repository of middle size. */
const STORED_GB = 0.002;
const LOGGED_GB = 0.000_5;
/** A sandbox session, as its template sizes it (`infra/modules/session-pool.bicep`). */
const SESSION = { cores: 2, memoryGiB: 4 };
/** An instance is charged for a second at least. */
const LEAST_SECONDS = 1;

export type CostLine = { readonly what: string; readonly usd: number };
export type Cost = {
  /** A month, whether or not anything runs. */
  readonly monthly: readonly CostLine[];
  /** A thousand requests, what the work itself costs. */
  readonly perThousand: readonly CostLine[];
  /** A thousand requests with their share of the month, at the rate of the scenario. */
  readonly perThousandInAll: number;
};

const total = (lines: readonly CostLine[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);
const containerSecond = ({ cores, memoryGiB }: { readonly cores: number; readonly memoryGiB: number }): number =>
  cores * PRICES.containerCore.usd + memoryGiB * PRICES.containerMemory.usd;

function databaseAnHour({ sqlSku, sqlVCores, zoneRedundant }: Profile): number {
  switch (sqlSku) {
    case 'GP_S_Gen5':
      return PRICES.sqlServerlessCore.usd * sqlVCores;
    case 'BC_Gen5':
      return PRICES.sqlCriticalCore.usd * sqlVCores;
    case 'HS_Gen5':
      return PRICES.sqlHyperscaleCore.usd * sqlVCores;
    case 'GP_Gen5':
      return PRICES.sqlGeneralCore.usd * sqlVCores * (1 + (zoneRedundant ? PRICES.sqlZoneRedundancy.usd : 0));
  }
}

function monthlyOf(profile: Profile): readonly CostLine[] {
  const seconds = MONTH_HOURS * 3_600;
  const gigabytes = profile.controlScale.instanceMemoryMB / 1_024;
  const ready = [profile.controlScale, profile.effectorScale].reduce(
    (sum, { alwaysReady }) => sum + Object.values(alwaysReady).reduce((all, count) => all + count, 0),
    0,
  );
  return [
    {
      what: 'Service Bus',
      usd: profile.busSku === 'Standard' ? PRICES.busStandard.usd : PRICES.busPremiumUnit.usd * profile.busCapacity,
    },
    { what: 'Azure SQL', usd: databaseAnHour(profile) * MONTH_HOURS },
    { what: 'ready function instances', usd: ready * gigabytes * seconds * PRICES.functionReady.usd },
    // The sweep runs each second, so an instance of its group is charged without a pause.
    { what: "the sweep's instance", usd: gigabytes * seconds * PRICES.functionOnDemand.usd },
    {
      what: 'ready sandbox sessions',
      usd: profile.readySessions * profile.sessionPools * seconds * containerSecond(SESSION),
    },
    {
      what: 'network, registry, ingress',
      usd:
        profile.privateEndpoints * PRICES.privateEndpoint.usd +
        PRICES.registry.usd +
        PRICES.network.usd +
        (profile.frontDoor ? PRICES.frontDoor.usd : 0),
    },
  ];
}

/** What a scenario cost, by what its run used and what its requests ask for. */
export function costOf(profile: Profile, load: Load, outcome: Outcome): Cost {
  const counts = callsOf(load.line, profile.leaseSeconds);
  const of = totalsOf(counts);
  const gigabytes = profile.controlScale.instanceMemoryMB / 1_024;
  const ended = Math.max(1, outcome.ended);
  // Calls that come while an instance works anyway cost nothing more: never more than the instances that are ready, all the time.
  const instances = Math.max(1, profile.controlScale.alwaysReady['http'] ?? 0);
  const controlSeconds = Math.min(of.calls * LEAST_SECONDS, (outcome.hours * 3_600 * instances) / ended);
  const keyOperation = profile.wrappingKeyBits === 2048 ? PRICES.keyOperation2048.usd : PRICES.keyOperation.usd;
  const request: readonly CostLine[] = [
    {
      what: 'container executions',
      usd:
        (outcome.containerSeconds / ended) *
        containerSecond({ cores: profile.jobScale.cpu, memoryGiB: profile.jobScale.memoryGiB }),
    },
    { what: 'sandbox sessions', usd: (outcome.sessionSeconds / ended) * containerSecond(SESSION) },
    {
      what: 'functions',
      usd:
        controlSeconds * gigabytes * PRICES.functionOnDemand.usd + (of.calls + counts.claim) * PRICES.functionCall.usd,
    },
    {
      what: 'queue operations',
      usd: profile.busSku === 'Standard' ? busOperationsOf(load.line) * PRICES.busStandardOperation.usd : 0,
    },
    { what: 'key operations', usd: of.unwraps * keyOperation + of.signatures * PRICES.keyOperation.usd },
    {
      what: 'blobs, a year kept',
      usd:
        of.blobReads * PRICES.blobRead.usd +
        of.blobWrites * PRICES.blobWrite.usd +
        12 * STORED_GB * PRICES.blobStored.usd,
    },
    { what: 'logs', usd: LOGGED_GB * PRICES.logIngested.usd },
  ];
  const monthly = monthlyOf(profile);
  const perThousand = request.map(({ what, usd }) => ({ what, usd: usd * 1_000 }));
  const share = outcome.endedPerHour === 0 ? 0 : (total(monthly) / MONTH_HOURS / outcome.endedPerHour) * 1_000;
  return { monthly, perThousand, perThousandInAll: total(perThousand) + share };
}

export const monthlyTotal = (cost: Cost): number => total(cost.monthly);
export const perThousandTotal = (cost: Cost): number => total(cost.perThousand);
