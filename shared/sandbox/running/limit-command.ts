import type { SandboxLimits } from '../driver.ts';
import { mappedReserveBytes } from '../limits.ts';

/** Where util-linux puts its tools; both drivers need them. */
export const limitTools = { prlimit: '/usr/bin/prlimit', choom: '/usr/bin/choom' } as const;

/**
 * The command line that sets the kernel's limits and then becomes the program. It runs inside the sandbox, so that a sandbox's
 * processes are counted in its own user namespace (Linux ≥ 5.14) and not together with those of its neighbours.
 *
 * Memory in use is watched from outside (supervise.ts). The kernel's own per-process limits count what is mapped: Node 24 maps
 * 0.57 GiB of private writable memory at its start and 0.53 GiB more for each worker thread while 9 to 50 MiB are in use, so
 * RLIMIT_DATA stands far above the limit, for a leap between two looks; and if the machine runs out all the same, the sandbox
 * is what the kernel ends first (choom).
 */
export function limitCommand(limits: SandboxLimits, argv: readonly string[]): string[] {
  return [
    ...[limitTools.choom, '-n', '1000', '--'],
    limitTools.prlimit,
    `--cpu=${limits.cpuSeconds}`,
    `--data=${limits.memoryBytes + mappedReserveBytes}`,
    `--nproc=${limits.processes}`,
    `--fsize=${limits.fileBytes}`,
    `--nofile=${limits.openFiles}`,
    '--core=0',
    '--',
    ...argv,
  ];
}
