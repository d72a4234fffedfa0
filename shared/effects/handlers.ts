import type { TaskHandler } from '../jobs/task.ts';
import { lookDeployment } from './azure-deployments/look-deployment.ts';
import { deliver } from './deliver/deliver.ts';
import { fetchSource } from './fetch/fetch-source.ts';

/** What an effector does, by task name. */
export const effectorHandlers: Readonly<Record<string, TaskHandler>> = {
  'fetch-source': fetchSource,
  'look-deployment': lookDeployment,
  deliver,
};
