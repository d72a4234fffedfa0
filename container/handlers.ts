import type { ContainerRole } from '../shared/config/container.ts';
import type { WorkerSettings } from '../shared/config/worker.ts';
import type { TaskHandler } from '../shared/jobs/task.ts';
import { sandboxOf } from '../shared/worker/sandbox.ts';

type Handlers = Readonly<Record<string, TaskHandler>>;

/** The tasks of a role. One image holds both roles; a process loads only its own. */
export const HANDLERS: { readonly [R in ContainerRole]: (settings: WorkerSettings) => Promise<Handlers> } = {
  async station(settings) {
    const [{ stationHandlers }, { hostRegistry }] = await Promise.all([
      import('../shared/stations/handlers.ts'),
      import('../shared/stations/packages/host-registry.ts'),
    ]);
    return stationHandlers({
      driver: sandboxOf(settings),
      registry: settings.npmRegistry ?? (await hostRegistry()),
      pythonIndex: settings.pythonIndex,
    });
  },
  async verifier(settings) {
    const { verifierHandlers } = await import('../shared/verify/handlers.ts');
    return verifierHandlers({ driver: sandboxOf(settings) });
  },
};
