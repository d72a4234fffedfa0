import { callsOf, totalsOf } from '../demand/of-request.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { auditHoldMs } from './call-time.ts';
import { above, type Load, type Raise, type ServiceModel } from './service-model.ts';

/** Sizes of a Gen5 database, in cores. */
const CORES = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 40, 80];
/** Statements a second of the sweep (`functions/control/timers/sweep.ts`), counted. */
export const SWEEP_STATEMENTS = 6;

const provisioned: Raise = {
  what: 'sqlSku, provisioned',
  where: 'parameter',
  size: ({ sqlSku }) => sqlSku,
  next: (profile) =>
    profile.sqlSku === 'GP_S_Gen5'
      ? { ...profile, sqlSku: 'GP_Gen5', sqlVCores: Math.max(2, profile.sqlVCores) }
      : undefined,
};
const cores: Raise = {
  what: 'sqlVCores',
  where: 'parameter',
  size: ({ sqlVCores }) => String(sqlVCores),
  next(profile) {
    const next = above(CORES, profile.sqlVCores);
    return next === undefined ? undefined : { ...profile, sqlVCores: next };
  },
};
const critical: Raise = {
  what: 'sqlSku, Business Critical for its short log writes',
  where: 'parameter',
  size: ({ sqlSku }) => sqlSku,
  next: (profile) => (profile.sqlSku === 'BC_Gen5' ? undefined : { ...profile, sqlSku: 'BC_Gen5' }),
};

const totals = ({ line }: Load, profile: Profile) => totalsOf(callsOf(line, profile.leaseSeconds));

export const sqlProcessor: ServiceModel = {
  name: 'sql: processor',
  unit: 'cores',
  capacity: ({ sqlVCores }) => sqlVCores,
  demand: (load, profile) => (totals(load, profile).statements * LATENCIES.statementMs.value) / 1_000,
  background: () => (SWEEP_STATEMENTS * LATENCIES.statementMs.value) / 1_000,
  raises: [provisioned, cores],
};

/** Megabytes of transaction log a second. */
export function logRate({ sqlSku, sqlVCores }: Profile): number {
  const of = LIMITS_OF_SERVICES;
  if (sqlSku === 'HS_Gen5') return of.sqlLogHyperscale.value;
  return sqlSku === 'BC_Gen5'
    ? Math.min(of.sqlLogCritical.value * sqlVCores, of.sqlLogCriticalMost.value)
    : Math.min(of.sqlLogGeneral.value * sqlVCores, of.sqlLogGeneralMost.value);
}

export const sqlLog: ServiceModel = {
  name: 'sql: log rate',
  unit: 'MB/s',
  capacity: logRate,
  demand: (load, profile) => (totals(load, profile).commits * LATENCIES.logKilobytes.value) / 1_000,
  raises: [cores, critical],
};

/** The head row of an application's audit stream is locked until the commit is durable: one commit of it at a time. */
export const auditStream: ServiceModel = {
  name: 'audit stream of an application',
  unit: 'streams',
  capacity: (_profile, { applications }) => applications,
  demand: (load, profile) => (totals(load, profile).audited * auditHoldMs(profile)) / 1_000,
  raises: [critical],
};
