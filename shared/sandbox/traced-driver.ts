import path from 'node:path';
import type { Attributes } from '../telemetry/recorder.ts';
import { traced } from '../telemetry/spans.ts';
import type { SandboxDriver, SandboxResult, SandboxRun } from './driver.ts';

/** A driver whose runs are spans of the job they are for: which program, how it ended, and nothing that it was given or said. */
export function tracedDriver(driver: SandboxDriver): SandboxDriver {
  const described = (run: SandboxRun) => ({
    name: 'sandbox',
    kind: 'internal' as const,
    attributes: {
      'factory.sandbox': driver.kind,
      'process.executable.name': path.basename(run.argv[0]),
    },
  });
  return {
    ...driver,
    run: (run) => traced(described(run), () => driver.run(run), told),
    async start(run) {
      const handle = await driver.start(run);
      // The span lasts as long as the program does, and nobody waits for it.
      traced(described(run), () => handle.exited, told).catch(() => undefined);
      return handle;
    },
  };
}

const told = ({ exitCode, endedBy }: SandboxResult): Attributes => ({
  'factory.sandbox.ended_by': endedBy,
  ...(exitCode === null ? {} : { 'process.exit.code': exitCode }),
});
