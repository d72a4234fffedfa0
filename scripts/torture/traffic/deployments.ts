import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { environment, parameters, template } from '../../../test/effects/deployment-fixture.ts';
import { signInOnPath, stackArm } from '../../../test/effects/stack-arm.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { deploymentPacket } from './packets.ts';
import { makeRemote } from './repository.ts';
import { submit } from './requests.ts';
import { setUp } from './setup.ts';

export type Deployments = {
  /** What a plane's processes need to deploy to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Registers the application that deploys; before the first request. */
  begin(plane: TorturePlane): Promise<void>;
  /** One at a time: a stack says which plan it is of, and the next plan takes its place. */
  give(plane: TorturePlane, key: string): Promise<string>;
  /** Requests of `begun` that were not begun exactly once, where it happened (I14). */
  faults(begun: readonly string[]): string[];
  close(): Promise<void>;
};

/** A stand-in of Azure Resource Manager, and an application with an environment that is deployed to it. */
export async function openDeployments(directory: string): Promise<Deployments> {
  const azure = await stackArm();
  const place = path.join(directory, 'deployed');
  mkdirSync(place);
  let application = '';
  return {
    environment: { FACTORY_RESOURCE_MANAGER_URL: azure.url, PATH: signInOnPath(place) },
    async begin(plane) {
      const remote = makeRemote(place, { 'parameters.json': parameters, 'template.json': template });
      const environments = [{ ...environment, repository: 'things', directory: 'infra' }];
      application = await setUp(plane, { name: 'deployed', remote, environments });
    },
    give(plane, key) {
      azure.wouldChange({ resourceId: `/sub/${key}`, changeType: 'Create' });
      return submit(plane, application, key, deploymentPacket());
    },
    faults(begun) {
      const marks = azure.bodies().map((body) => String((body as Body).properties?.description ?? ''));
      return begun.flatMap((id) => {
        const times = marks.filter((mark) => mark.endsWith(` for ${id}`)).length;
        return times === 1 ? [] : [`I14 ${id}: its deployment was begun ${times} times`];
      });
    },
    close: () => azure.close(),
  };
}

type Body = { readonly properties?: { readonly description?: unknown } };
