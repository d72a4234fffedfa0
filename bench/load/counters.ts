import type { Bench } from './bench.ts';

/** What the plane's store has done so far. */
export type Counters = { readonly commands: number; readonly commits: number };

export async function readCounters({ operator }: Bench): Promise<Counters> {
  const { store } = await operator.call<{ store: Counters }>('GET', '/status');
  return { commands: store.commands, commits: store.commits };
}
