import * as df from 'durable-functions';
import { failInstallation, superviseInstallation } from '../../../shared/definitions/supervise-installation.ts';
import { parseId } from '../../../shared/domain/ids.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';
import { plane, withOrchestrations } from '../plane.ts';

df.app.activity('superviseInstallation', {
  extraInputs: [df.input.durableClient()],
  handler: async (input: { id: string; run: number }, context) => {
    withOrchestrations(context);
    const id = parseId('installation', input.id);
    if (id === undefined) return { over: true, wakeAt: 0, phase: 'gone' };
    const { run } = await plane();
    try {
      return await run('installation.supervise', (planeContext) => superviseInstallation(planeContext, id, input.run));
    } catch (error) {
      // Definitions that this version of the plane refuses stay refused; a store that is away (5xx) is tried again.
      if (!(error instanceof Refusal) || error.status >= 500) throw error;
      return await run('installation.fail', (planeContext) =>
        failInstallation(planeContext, id, input.run, error.message),
      );
    }
  },
});
