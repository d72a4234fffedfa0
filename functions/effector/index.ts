import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import { azureCredential } from '../../shared/worker/azure-credential.ts';
import { startWorkerOf } from '../../shared/worker/start.ts';
import { registerPools } from '../worker/pools.ts';

/** Role effector: fetches sources and performs effects. It runs no program of a repository, and so has no sandbox. */
registerPools(
  'effector',
  await startWorkerOf('effector', ({ resourceManager, credential }) =>
    effectorHandlers(armAt(resourceManager, azureCredential(credential))),
  ),
);
