import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { plane, withOrchestrations } from '../plane.ts';

/** Every second: what a dead process left, expired leases, hints to repeat, overdue requests. On Azure one instance runs it at a time. */
app.timer('sweep', {
  schedule: '* * * * * *',
  runOnStartup: true,
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    withOrchestrations(context);
    await (await plane()).sweep();
  },
});
