import { tellFailure } from './output/failure.ts';
import { buildProgram } from './program.ts';

/** As the shell says of a program that a signal ended: 128 and the number of SIGPIPE. */
const NOBODY_READS = 141;

// A reader that has seen enough (`factory explain REQ | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(NOBODY_READS);
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = tellFailure(error);
}
