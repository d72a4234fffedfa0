import { bubblewrapDriver } from '../../shared/sandbox/bubblewrap/bubblewrap.ts';

export const driver = bubblewrapDriver();
const probed = await driver.probe();

/** Where this machine can't run bubblewrap the tests that need it are skipped, with this printed. */
export const noSandbox = !probed.usable;
if (!probed.usable) process.stderr.write(`SKIPPED: tests that need bubblewrap. ${probed.reason}\n`);
