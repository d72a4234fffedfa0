import { bubblewrapDriver } from './bubblewrap/bubblewrap.ts';
import type { SandboxDriver, SandboxIdentity } from './driver.ts';
import { processDriver } from './process/process.ts';
import { SandboxRefusal } from './refusal.ts';

/** The drivers that need nothing but this machine. */
type LocalSandboxKind = 'bubblewrap' | 'process';

export type SandboxPreference = {
  /** Tried in this order. */
  readonly kinds: readonly [LocalSandboxKind, ...LocalSandboxKind[]];
  /** Policy's word that this job may run without isolation; without it `process` is passed over. */
  readonly acknowledgedNoIsolation?: true;
};

/**
 * The first driver of the preference that works here, and how evidence names it. Throws `SANDBOX-UNAVAILABLE` with each driver's
 * reason when none does: there is no silent step down to less isolation.
 */
export async function selectDriver(
  preference: SandboxPreference = { kinds: ['bubblewrap'] },
): Promise<{ readonly driver: SandboxDriver; readonly identity: SandboxIdentity }> {
  const reasons: string[] = [];
  for (const kind of preference.kinds) {
    if (kind === 'process' && preference.acknowledgedNoIsolation !== true) {
      reasons.push('process: policy did not acknowledge running without isolation');
      continue;
    }
    const driver = kind === 'bubblewrap' ? bubblewrapDriver() : processDriver({ acknowledgedNoIsolation: true });
    const probed = await driver.probe();
    if (probed.usable) return { driver, identity: probed.identity };
    reasons.push(`${kind}: ${probed.reason}`);
  }
  throw new SandboxRefusal('SANDBOX-UNAVAILABLE', `no sandbox can be had on this machine. ${reasons.join('. ')}`);
}
