import { stationHandlers } from '../../shared/stations/handlers.ts';
import { hostRegistry } from '../../shared/stations/packages/host-registry.ts';
import { sandboxOf } from '../../shared/worker/sandbox.ts';
import { startWorkerOf } from '../../shared/worker/start.ts';
import { registerPools } from '../worker/pools.ts';

/** Role station: plans, implements, fetches packages. Holds no credential but the one for its own jobs. */
registerPools(
  'station',
  await startWorkerOf('station', async (settings) =>
    stationHandlers({
      driver: sandboxOf(settings),
      registry: settings.npmRegistry ?? (await hostRegistry()),
      pythonIndex: settings.pythonIndex,
    }),
  ),
);
