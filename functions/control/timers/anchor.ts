import { app } from '@azure/functions';
import { plane } from '../plane.ts';

/** Every half minute: one signed anchor over the audit heads that moved, and the housekeeping that expires things. */
app.timer('anchor', {
  schedule: '*/30 * * * * *',
  handler: async () => {
    const { anchor, expire } = await plane();
    await anchor();
    await expire();
  },
});
