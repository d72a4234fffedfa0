import { setTimeout } from 'node:timers/promises';
import type { Timer } from '@azure/functions';
import { app } from '@azure/functions';

const runs: { schedule: unknown; past: boolean }[] = [];
let overlapping = 0;
let mostOverlapping = 0;
let attempts: number[] = [];

app.timer('everySecond', {
  schedule: '%TICK%',
  runOnStartup: true,
  handler: async (timer: Timer) => {
    runs.push({ schedule: timer.scheduleStatus, past: timer.isPastDue });
  },
});
app.timer('slow', {
  schedule: '* * * * * *',
  handler: async () => {
    overlapping++;
    mostOverlapping = Math.max(mostOverlapping, overlapping);
    await setTimeout(1_300);
    overlapping--;
  },
});
app.timer('retried', {
  schedule: '0 0 0 1 1 *',
  runOnStartup: true,
  retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: 10 },
  handler: async (_timer, context) => {
    attempts = [...attempts, context.retryContext?.retryCount ?? 0];
    if (attempts.length < 3) throw new Error('not yet');
  },
});
const spans: { past: boolean; last: string | null }[] = [];
app.timer('span', {
  schedule: process.env['SPAN'] ?? '01:00:00',
  handler: async (timer: Timer) => {
    spans.push({ past: timer.isPastDue, last: timer.scheduleStatus?.last ?? null });
  },
});
app.timer('unmonitored', {
  schedule: '01:00:00',
  useMonitor: false,
  handler: async () => {
    spans.push({ past: false, last: 'unmonitored' });
  },
});
app.get('runs', {
  authLevel: 'anonymous',
  route: 'runs',
  handler: async () => ({ jsonBody: { runs, mostOverlapping, attempts, spans } }),
});
