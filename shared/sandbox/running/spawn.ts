import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { inheritedDescriptors } from './inherited-descriptors.ts';

export type SpawnRequest = {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Pipes wanted beyond standard input, output and error; they are descriptors 3, 4, … of the program. */
  readonly extraPipes: number;
  readonly ownProcessGroup: boolean;
};

/**
 * Starts a program with exactly this environment and no descriptor of ours but its pipes. Descriptors that would leak are
 * replaced by /dev/null. Must be called on the main thread: the parent-death signal of a sandbox follows the thread that forked.
 */
export function spawnClosed(request: SpawnRequest): ChildProcess {
  const stdio: Exclude<StdioOptions, string> = Array.from({ length: 3 + request.extraPipes }, () => 'pipe' as const);
  const nothing = openSync('/dev/null', 'r');
  try {
    for (const descriptor of inheritedDescriptors()) {
      while (stdio.length < descriptor) stdio.push('ignore');
      if (descriptor >= 3 + request.extraPipes) stdio[descriptor] = nothing;
    }
    return spawn(request.file, request.arguments, {
      cwd: request.workingDirectory,
      env: request.environment,
      detached: request.ownProcessGroup,
      stdio,
    });
  } finally {
    closeSync(nothing);
  }
}
