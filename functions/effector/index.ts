import { effectorHandlers } from '../../shared/effects/handlers.ts';
import { startWorkerOf } from '../../shared/worker/start.ts';
import { registerPools } from '../worker/pools.ts';

/** Role effector: fetches sources and performs effects. It runs no program of a repository, and so has no sandbox. */
registerPools('effector', await startWorkerOf('effector', () => effectorHandlers));
