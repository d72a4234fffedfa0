import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ToolchainName } from '../../domain/application/check-environment.ts';
import { TOOLCHAINS } from './catalogue.ts';
import { installationsOf } from './places.ts';

/** The PATH that a sandbox has of the machine. */
const PATH = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Whether a toolchain lies where a sandbox would find it on this machine. Cheap: nothing is run, so a broken one counts. */
export function isInstalled(name: ToolchainName): boolean {
  const kind = TOOLCHAINS[name];
  const [program = ''] = Object.keys(kind.programs);
  return PATH.some((directory) => existsSync(join(directory, program))) || installationsOf(kind).length > 0;
}
