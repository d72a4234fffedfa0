import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requireRegistry } from './registry.ts';

/**
 * The registry this machine's npm is configured for, asked once when a packages worker starts and no setting names one. Throws
 * when npm is missing or names an address that may not be used.
 */
export async function hostRegistry(): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], { timeout: 30_000 });
  return requireRegistry(stdout.trim());
}
