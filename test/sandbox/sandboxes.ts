import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapDriver } from '../../shared/sandbox/bubblewrap/bubblewrap.ts';
import type { SandboxResult, SandboxRun } from '../../shared/sandbox/driver.ts';
import { defaultSandboxLimits } from '../../shared/sandbox/limits.ts';
import { scratch } from './repositories.ts';

export const bubblewrap = bubblewrapDriver();
export const probed = await bubblewrap.probe();
// Skipped in sight of whoever reads the run: a machine without user namespaces proves nothing about the sandbox.
if (!probed.usable) process.stderr.write(`\nbubblewrap can't run here, so its tests are skipped: ${probed.reason}\n`);

export const limits = { ...defaultSandboxLimits, wallMs: 20_000 };

/** Runs a shell script in a fresh sandbox. */
export function inside(script: string, changes: Partial<SandboxRun> = {}): Promise<SandboxResult> {
  return bubblewrap.run({
    argv: ['/bin/sh', '-c', script],
    workingDirectory: '/',
    mounts: [],
    environment: {},
    limits,
    ...changes,
  });
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A directory that a program inside may write to. */
export function writableDirectory(parent: string = scratch()): string {
  const directory = join(parent, 'mounted');
  mkdirSync(directory);
  if (bubblewrap.fileOwner !== null) chownSync(directory, bubblewrap.fileOwner.uid, bubblewrap.fileOwner.gid);
  return directory;
}
