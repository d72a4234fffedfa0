import { z } from 'zod';
import type { DefinitionsBundle } from '../../shared/definitions/bundle.ts';
import type { PlaneApi } from '../api/plane-api.ts';
import { readResource, understood } from '../api/read.ts';
import { CommandFailure } from '../failure.ts';

const planned = z.object({
  id: z.string(),
  state: z.string(),
  plan: z.string(),
  approval: z.string().nullable(),
  subject: z.string().nullable(),
});
export type Planned = z.infer<typeof planned>;

const installation = z.object({ id: z.string(), state: z.string(), failure: z.string().nullable().optional() });

/** How long an approved installation may take to be applied. */
const APPLY_LIMIT_MS = 60_000;
const POLL_MS = 100;

/** Publishes definitions, so that they can be planned on applications. They hold nowhere until they are installed. */
export async function publish(policyOwner: PlaneApi, bundle: DefinitionsBundle): Promise<void> {
  await policyOwner.call('POST', '/definitions', { json: { files: Object.fromEntries(bundle.files) } });
}

/** Plans definitions on an application. The plan waits for a policy owner's approval. */
export async function planInstallation(operator: PlaneApi, application: string, definitions: string): Promise<Planned> {
  const path = `/applications/${application}/installations`;
  return understood(planned, await operator.call('POST', path, { json: { definitions } }), path);
}

/** Waits until an approved installation is applied. */
export async function untilApplied(api: PlaneApi, id: string): Promise<void> {
  const deadline = performance.now() + APPLY_LIMIT_MS;
  for (;;) {
    const seen = await readResource(api, installation, `/installations/${id}`);
    if (seen.state === 'applied') return;
    if (['failed', 'rejected', 'superseded', 'rolled_back'].includes(seen.state))
      throw new CommandFailure(`Installation ${id} is ${seen.state}${seen.failure ? `: ${seen.failure}` : ''}.`);
    if (performance.now() > deadline)
      throw new CommandFailure(
        `Installation ${id} is still ${seen.state} after ${APPLY_LIMIT_MS / 1000} s. See "factory install status".`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
