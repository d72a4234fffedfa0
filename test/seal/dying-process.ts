import { cancelRequest } from '../../shared/line/cancel.ts';
import { sealAll } from './line-work.ts';
import { openPlane } from './plane.ts';

/** Brings a request to its end in a given directory, says so, and seals it: at which step it dies is told by FACTORY_CRASH_AT. */
const [directory = ''] = process.argv.slice(2);
const plane = await openPlane({ directory });
const application = await plane.register();
await plane.install(application, await plane.publish(plane.bundle));
plane.told.length = 0;
const request = await plane.submit(application);
await plane.run('cancel', (context) => cancelRequest(context, plane.requester, request, 'not needed any more'));
process.stdout.write(JSON.stringify({ tenant: plane.tenant, request }));
await sealAll(plane);
process.stdout.write('\nsealed');
