import { percentUsed } from '../domain/cost/budget.ts';
import { monthOf } from '../domain/cost/month.ts';
import type { TenantId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { rows } from '../store/command.ts';
import { budgetUses } from '../store/costs/budgets.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import { driftedApplications, oldestQueued, openGates } from '../store/platform/gauges.ts';
import type { Store } from '../store/store.ts';
import type { Reading } from '../telemetry/metrics.ts';
import { recorder } from '../telemetry/recorder.ts';

export type GaugeParts = {
  readonly store: Store;
  readonly tenant: TenantId;
  readonly report: (error: unknown) => void;
};

/** Reads what is a state and no event: ages and counts. Called each second; it looks only as often as gauges are exported, and not at all when telemetry is off. */
export function createGauges({ store, tenant, report }: GaugeParts): () => Promise<void> {
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const to = recorder();
    if (to === undefined || performance.now() - readAt < to.gaugesEveryMs) return;
    readAt = performance.now();
    try {
      const limit = LIMITS.telemetry.gauges;
      const seen = await store.read('gauges', function* () {
        const now = yield* databaseTime();
        return {
          now,
          queued: yield* rows(oldestQueued({ tenant })),
          gates: yield* rows(openGates({ tenant, limit })),
          budgets: yield* rows(budgetUses({ tenant, month: monthOf(now), limit })),
          drifted: yield* rows(driftedApplications({ tenant, limit })),
        };
      });
      const { now } = seen;
      to.gauge('factory.queue.age', queueAges(seen.queued, now));
      to.gauge('factory.gate.age', gateAges(seen.gates, now));
      to.gauge(
        'factory.budget.used',
        seen.budgets.map(({ application_id: application, monthly, amount: spent }) => ({
          value: percentUsed({ monthly, spent }),
          dimensions: { application },
        })),
      );
      to.gauge(
        'factory.installations.drifted',
        seen.drifted.map(({ application_id: application }) => ({ value: 1, dimensions: { application } })),
      );
    } catch (error) {
      report(error);
    }
  };
}

const seconds = (since: number, now: number): number => Math.max(0, now - since) / 1_000;

/** The oldest claimable job of each pool; a pool with none is 0 s old. */
function queueAges(
  queued: readonly { readonly pool: string; readonly since: number | null }[],
  now: number,
): Reading<'factory.queue.age'>[] {
  const oldest = new Map<string, number>();
  for (const { pool, since } of queued) oldest.set(pool, Math.min(oldest.get(pool) ?? now, since ?? now));
  return [...oldest].map(([pool, since]) => ({ value: seconds(since, now), dimensions: { pool } }));
}

/** The oldest open approval of each gate of an application. */
function gateAges(
  gates: readonly {
    readonly node: string | null;
    readonly type: string;
    readonly opened_at: number;
    readonly application_id: string | null;
  }[],
  now: number,
): Reading<'factory.gate.age'>[] {
  const oldest = new Map<string, Reading<'factory.gate.age'>>();
  for (const { node, type, opened_at, application_id } of gates) {
    const dimensions = { gate: node ?? type, application: application_id ?? '' };
    const key = `${dimensions.application} ${dimensions.gate}`;
    if (!oldest.has(key)) oldest.set(key, { value: seconds(opened_at, now), dimensions });
  }
  return [...oldest.values()];
}
