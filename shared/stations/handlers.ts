import { type TaskContext, TaskFailure, type TaskHandler } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { apiMigrationStation } from './api-migration/station.ts';
import { azureDeploymentStation } from './azure-deployment/station.ts';
import { dependencyUpdateStation } from './dependency-update/station.ts';
import { implementTask } from './implement-task.ts';
import { fetchPackagesTask } from './packages/fetch-packages-task.ts';
import { patchStation } from './patch/station.ts';
import { planTask } from './plan-task.ts';
import { withPython } from './python/with-python.ts';
import type { Station } from './station.ts';
import { withRefusals } from './work/failures.ts';

export type StationConfiguration = {
  readonly driver: SandboxDriver;
  /** Origin (and path, if any) of the one npm registry that the packages pool may read; see `hostRegistry`. */
  readonly registry: string;
  /** Address of the simple API of the one index of Python packages that the packages pool may read. */
  readonly pythonIndex?: string | undefined;
};

const stations: readonly Station[] = [
  patchStation,
  apiMigrationStation,
  dependencyUpdateStation,
  azureDeploymentStation,
];

/** The stations' tasks by name. */
export function stationHandlers({
  driver,
  registry,
  pythonIndex,
}: StationConfiguration): Readonly<Record<string, TaskHandler>> {
  return {
    plan: withRefusals((context) => planTask(context, driver, stationOf(context))),
    implement: withRefusals((context) => implementTask(context, driver, stationOf(context))),
    'fetch-packages': withRefusals(
      withPython((context) => fetchPackagesTask(context, { driver, registry }), { driver, index: pythonIndex }),
    ),
  };
}

function stationOf({ claim }: TaskContext): Station {
  const station = stations.find(({ name }) => name === claim.station);
  if (station !== undefined) return station;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'STATION-UNKNOWN',
    message: `The job names the station ${claim.station ?? '(none)'}; this worker has ${stations.map(({ name }) => name).join(', ')}.`,
  });
}
