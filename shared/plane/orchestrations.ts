import { instanceId } from '../outbox/entry.ts';

/** The orchestration engine, as the plane uses it. */
export type Orchestrations = {
  /** `wakeAt`: until when nothing is due, where that is known; the instance then waits without asking first. */
  start(orchestrator: string, id: string, run: number, wakeAt?: number): Promise<void>;
  nudge(orchestrator: string, id: string, run: number): Promise<void>;
  /** `missing`: there is no such instance; `ended`: it will do nothing any more. */
  look(id: string, run: number): Promise<'running' | 'ended' | 'missing'>;
};

/** What is used of the durable client, so that this file needs no Functions package. */
export type DurableClient = {
  startNew(orchestrator: string, options: { instanceId: string; input: unknown }): Promise<string>;
  raiseEvent(instanceId: string, event: string, data: unknown): Promise<void>;
  getStatus(instanceId: string): Promise<{ runtimeStatus: unknown }>;
};

const ENDED: readonly string[] = ['Completed', 'Failed', 'Terminated', 'Canceled'];
const isAbsent = (error: unknown): boolean =>
  /404|not found|no instance/i.test(error instanceof Error ? error.message : String(error));
const runsAlready = (error: unknown): boolean =>
  /409|already (exists|running)|conflict/i.test(error instanceof Error ? error.message : String(error));

/**
 * Over the durable client that a function was handed: one client a process is kept, since making one costs 4 % of control's
 * time per commit. `client` throws until the first function with a durable input has run; the outbox then tries again.
 */
export function orchestrationsOver(client: () => DurableClient): Orchestrations {
  const start = async (orchestrator: string, id: string, run: number, wakeAt?: number): Promise<void> => {
    try {
      const input = { id, run, ...(wakeAt === undefined ? {} : { wakeAt }) };
      await client().startNew(orchestrator, { instanceId: instanceId(id, run), input });
    } catch (error) {
      if (!runsAlready(error)) throw error;
    }
  };
  return {
    start,
    async nudge(orchestrator, id, run) {
      try {
        await client().raiseEvent(instanceId(id, run), 'nudge', null);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        await start(orchestrator, id, run);
      }
    },
    async look(id, run) {
      try {
        const status = await client().getStatus(instanceId(id, run));
        return ENDED.includes(String(status.runtimeStatus)) ? 'ended' : 'running';
      } catch (error) {
        if (isAbsent(error)) return 'missing';
        throw error;
      }
    },
  };
}
