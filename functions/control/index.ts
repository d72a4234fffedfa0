import { app } from '@azure/functions';
import { startTelemetry, stopTelemetry } from '../../shared/telemetry/start.ts';
import { registerRoutes } from './http/register.ts';
import { plane } from './plane.ts';
import { reportDropped } from './report.ts';
import './activities/supervise-installation.ts';
import './activities/supervise-request.ts';
import './orchestrators/installation.ts';
import './orchestrators/request.ts';
import './timers/anchor.ts';
import './timers/sweep.ts';

/**
 * Role control: the API, the orchestrators and the sweeps. The plane is opened before anything is served, so that a wrong
 * setting or a locked database ends the start with its reason instead of every call with a 500.
 */
app.setup({ enableHttpStream: true });
const { settings } = await plane();
await startTelemetry('control', settings.telemetry, reportDropped);
registerRoutes({ localIdentity: settings.identity.kind === 'local' });
app.hook.appTerminate(async () => {
  await (await plane()).close();
  await stopTelemetry();
});
