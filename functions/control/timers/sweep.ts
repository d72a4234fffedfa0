import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { plane, withOrchestrations } from '../plane.ts';

/** Every second: what a dead process left, expired leases, hints to repeat, overdue requests; and the ages that are measured. On Azure one instance runs it at a time. */
app.timer('sweep', {
  schedule: '* * * * * *',
  runOnStartup: true,
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    withOrchestrations(context);
    const { sweep, measure } = await plane();
    await sweep();
    await measure();
  },
});
