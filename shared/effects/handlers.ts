import type { TaskHandler } from '../jobs/task.ts';
import type { Arm } from './azure-deployments/arm.ts';
import { lookDeployment } from './azure-deployments/look-deployment.ts';
import { deliver } from './deliver/deliver.ts';
import { fetchSource } from './fetch/fetch-source.ts';

/** What an effector does, by task name. Nothing is asked of Azure but by a task that deploys. */
export const effectorHandlers = (arm: Arm): Readonly<Record<string, TaskHandler>> => ({
  'fetch-source': fetchSource,
  'look-deployment': lookDeployment(arm),
  deliver: deliver(arm),
});
