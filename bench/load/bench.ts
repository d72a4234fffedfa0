import { type Platform, type PlatformOptions, startPlatform } from '../platform/platform.ts';
import { installApplication } from './application.ts';
import { type Caller, openCaller } from './caller.ts';

/** A platform with an application installed on it, and the people who use it. */
export type Bench = {
  readonly platform: Platform;
  readonly application: string;
  readonly requester: Caller;
  readonly approver: Caller;
  readonly operator: Caller;
};

/** Starts a platform, lends it to the measurement and ends it, however that went. */
export async function withBench<T>(
  options: PlatformOptions & { readonly lines?: ReadonlyMap<string, string> },
  measure: (bench: Bench) => Promise<T>,
): Promise<T> {
  const platform = await startPlatform(options);
  const callers: Caller[] = [];
  const caller = async (identity: string): Promise<Caller> => {
    const opened = await openCaller(platform, identity);
    callers.push(opened);
    return opened;
  };
  try {
    const operator = await caller('operator');
    const policyOwner = await caller('policy-owner');
    const application = await installApplication({ operator, policyOwner }, options.lines ?? new Map());
    const requester = await caller('requester');
    const approver = await caller('approver');
    return await measure({ platform, application, requester, approver, operator });
  } finally {
    for (const each of callers) each.close();
    await platform.stop();
  }
}
