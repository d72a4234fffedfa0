import * as df from 'durable-functions';
import { parseId } from '../../../shared/domain/ids.ts';
import { superviseRequest } from '../../../shared/line/begin.ts';
import { plane, withOrchestrations } from '../plane.ts';

df.app.activity('superviseRequest', {
  extraInputs: [df.input.durableClient()],
  handler: async (input: { id: string; run: number }, context) => {
    withOrchestrations(context);
    const id = parseId('request', input.id);
    if (id === undefined) return { over: true, wakeAt: 0, phase: 'done' };
    return await (await plane()).run('request.supervise', (planeContext) =>
      superviseRequest(planeContext, id, input.run),
    );
  },
});
